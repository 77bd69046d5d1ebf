"""What every rater is asked and answers, whatever it is made of: passages in, judgements on one scale out.

A judgement that could not be had is a record with its reason (``missing``), never a made-up number: a server that
answers nonsense must come out as a count of missing scores, not as a low score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from holdfast.agents.protocols import SENSE7, Message


@dataclass(frozen=True, slots=True)
class Scale:
    """The dimensions that are scored together, each from ``low`` to ``high`` (inclusive, continuous)."""

    id: str
    dimensions: tuple[str, ...]
    low: float
    high: float


#: EPITOME's mechanisms of expressed empathy (Sharma et al. 2020).
EXPRESSED = Scale("expressed", ("emotional_reaction", "interpretation", "exploration"), 0, 2)
#: SENSE-7's dimensions of perceived empathy (Suh et al. 2025).
PERCEIVED = Scale("perceived", SENSE7, 1, 5)
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
NO_REPLY = "the passage holds no reply of the assistant"  # a reason for ``Judgement.missing``
SCALES: Mapping[str, Scale] = MappingProxyType({scale.id: scale for scale in (EXPRESSED, PERCEIVED, ACTS)})


@dataclass(frozen=True, slots=True)
class Passage:
    """What a rater sees: user and assistant messages, oldest first.

    The last message is the assistant's reply that is rated; with ``whole`` the dialogue is rated as one. A rater that
    knows no history reads the last two messages only.
    """

    messages: tuple[Message, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class RaterIdentity:
    """Which rater made a score: without it scores cannot be compared. ``prompt_sha256``: of its rubric, if any."""

    id: str
    version: str
    prompt_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """One passage on one scale. ``scores`` maps dimensions to values; one that could not be had is absent.

    ``missing``: why no score at all could be had, or None. ``evidence``: what in the text it rests on, in words; text
    from a model where the rater is one, so escape it where it is shown. ``repaired``: answers that had to be asked
    for again. ``tokens``: prompt and completion, 0 where nothing was asked.
    """

    stamp: RaterIdentity
    scores: Mapping[str, float] = field(default_factory=dict)
    missing: str | None = None
    evidence: str = ""
    repaired: int = 0
    tokens: tuple[int, int] = (0, 0)


class ScaleRater(Protocol):
    """Scores passages on one scale; safe to await many times at once. Judges never import users or assistants."""

    @property
    def stamp(self) -> RaterIdentity: ...

    @property
    def scale(self) -> Scale: ...

    async def judge(self, passages: Sequence[Passage]) -> list[Rating]:
        """One judgement per passage, in their order. Raises nothing for what a model answers: see ``missing``."""
        ...
