"""The rater protocol: passages (a conversation so far and the reply) in, ratings on one scale out.

A rating that could not be had is a record with its reason (``missing``), never a made-up number: a server that
answers nonsense must come out as a count of missing scores, not as a low score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Literal, Protocol

from holdfast.agents.protocols import SENSE7, Message
from holdfast.agents.raters.sample import Sample


@dataclass(frozen=True, slots=True)
class Scale:
    """The dimensions that are rated together, each from ``low`` to ``high`` (inclusive).

    ``step`` is the distance between two labels that people gave; ratings between them are expected levels.
    """

    id: str
    dimensions: tuple[str, ...]
    low: float
    high: float
    step: float = 1.0

    @property
    def width(self) -> float:
        """``high - low``, by which adherence divides."""
        return self.high - self.low


#: EPITOME's mechanisms of expressed empathy (Sharma et al. 2020).
EXPRESSED = Scale("expressed", ("emotional_reaction", "interpretation", "exploration"), 0, 2)
#: SENSE-7's dimensions of perceived empathy (Suh et al. 2025).
PERCEIVED = Scale("perceived", SENSE7, 1, 5)
#: What the person felt, as one score: iEval's empathy, the mean of two questions (Svikhnushina et al. 2022).
FELT = Scale("felt", ("overall",), 1, 5, step=0.5)
#: The communicated acts of Lend an Ear (Kumar et al. 2025).
ACTS = Scale(
    "acts",
    (
        "validating_emotions",
        "encouraging_elaboration",
        "demonstrating_understanding",
        "advice_giving",
        "self_oriented",
        "dismissing_emotions",
    ),
    1,
    5,
)
NO_REPLY = "the passage holds no reply of the assistant"  # a reason for ``Rating.missing``
SCALES: Mapping[str, Scale] = MappingProxyType({scale.id: scale for scale in (EXPRESSED, PERCEIVED, ACTS, FELT)})

#: Observed failures of a reply, which disqualify it.
Failure = Literal[
    "empty",
    "loop",
    "copy of the user's message",
    "copy of the reply before",
    "copy of an earlier reply",
    "hostile",
    "refusal",
    "advertising",
    "off-topic",
]


@dataclass(frozen=True, slots=True)
class Passage:
    """What a rater sees: user and assistant messages, oldest first.

    The last message is the assistant's reply that is rated; with ``whole`` the dialogue is rated as one. A rater that
    knows no history reads the last two messages only.
    """

    messages: tuple[Message, ...]
    whole: bool = False


def holds_reply(passage: Passage) -> bool:
    """Return whether there is a reply to rate: the last one has words; with ``whole`` any has."""
    replies = (message.content for message in reversed(passage.messages) if message.role == "assistant")
    return any(text.strip() for text in (replies if passage.whole else islice(replies, 1)))


@dataclass(frozen=True, slots=True)
class RaterIdentity:
    """Which rater made a rating: without it ratings cannot be compared. ``prompt_sha256``: of its rubric, if any."""

    id: str
    version: str
    prompt_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """One passage on one scale.

    Attributes:
        values: Dimension to value, on the rater's scale. A dimension that could not be had is absent.
        missing: Why no value at all could be had, or None.
        disqualified: The failure that the gate saw in the reply, or None. Adherence is then 0 under every pattern,
            whatever ``values`` a rater gave, and nothing is missing.
        evidence: What in the text the rating, or the disqualification, rests on, in words. It may quote a model:
            escape it where it is shown.
        repaired: How many answers had to be asked for again.
        tokens: Prompt and completion tokens, 0 where nothing was asked.
        samples: A judge's single answers, of which ``values`` are the median; journals do not keep them.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    missing: str | None = None
    evidence: str = ""
    repaired: int = 0
    tokens: tuple[int, int] = (0, 0)
    samples: tuple[Sample, ...] = ()
    disqualified: Failure | None = None

    @property
    def counted(self) -> Mapping[str, float]:
        """The values that count: none where the reply is disqualified."""
        return self.values if self.disqualified is None else {}

    def levels(self, dimensions: Sequence[str]) -> tuple[float, ...]:
        """The values of ``dimensions`` in their order; nan where there is none, and of a disqualified reply."""
        return tuple(self.counted.get(name, math.nan) for name in dimensions)


def expressed(emotional_reaction: float, interpretation: float, exploration: float) -> Rating:
    """Return a rating on EPITOME's scale, levels 0-2."""
    return Rating(dict(zip(EXPRESSED.dimensions, (emotional_reaction, interpretation, exploration), strict=True)))


def primary_of(ratings: Mapping[str, Rating]) -> Rating:
    """Return the primary rater's rating, which is the first; a missing one where there is none."""
    return next(iter(ratings.values()), Rating(missing="not rated"))


def guide(raters: Mapping[str, Rater]) -> str | None:
    """Return the name of the rater by whose ratings user agents go on: the first of expressed empathy, if any."""
    return next((name for name, rater in raters.items() if rater.scale.id == EXPRESSED.id), None)


class Identified(Protocol):
    """What says whose ratings they are, and on which scale."""

    @property
    def identity(self) -> RaterIdentity: ...

    @property
    def scale(self) -> Scale: ...


class Rater(Identified, Protocol):
    """Rates passages on one scale; safe to await many times at once. Raters never import users or assistants."""

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        """One rating per passage, in their order. Raises nothing for what a model answers: see ``missing``."""
        ...
