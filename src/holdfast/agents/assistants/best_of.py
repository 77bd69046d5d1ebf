"""Of several replies, the one that a rater prefers.

Best-of-n sampling, as WebGPT does it by a reward model (Nakano et al. 2021, arXiv 2112.09332). The rater that chooses
may not be the one that judges: a study refuses its own first rater here, since it would praise its own choice.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from holdfast.agents.assistants.candidates import ask, with_usage_of
from holdfast.agents.assistants.wanted import WantedEmpathy, WantedPattern, WantingSpec
from holdfast.agents.protocols import AssistantView, ChatModel, Message, Reply, Sampling
from holdfast.agents.raters.protocol import ACTS, Passage, Rater, Rating, Scale
from holdfast.agents.raters.registry import AnyRaterSpec
from holdfast.agents.raters.specs import FittedSpec, RaterSpec
from holdfast.core.errors import InputError
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import EmpathyPattern

Rank = tuple[int, float]
"""Whether a reply has failed (0), is unrated (1) or rated (2); then its score, where it is rated."""


class BestOfSpec(WantingSpec):
    """Of ``n`` replies the one that ``rater`` puts highest; see :func:`rank`."""

    title = "the best of several replies"
    kind: Literal["best_of"] = "best_of"
    n: Annotated[int, Field(ge=1, le=64)] = 4
    rater: AnyRaterSpec = FittedSpec(kind="linear_peers")

    @property
    def raters(self) -> tuple[RaterSpec, ...]:
        return (self.rater,)

    def beside(self, folder: Path) -> Self:
        """Return the spec with its rater's folder relative to ``folder``. Raises InputError where there is none."""
        return self.model_copy(update={"rater": self.rater.beside(folder)})


@dataclass(frozen=True, slots=True)
class BestOf:
    """Draws ``n`` replies at once and says the one that ``rater``, which stands behind the gate, puts highest.

    Among equals the first drawn wins. Each draw has a key of its own, so that a local model keeps a cache for each and
    computes no turn of the conversation twice.
    """

    model: ChatModel
    name: str
    rater: Rater
    wanted: WantedPattern
    n: int = 4
    sampling: Sampling = field(default_factory=Sampling)

    def __post_init__(self) -> None:
        if self.rater.scale.id == ACTS.id:
            raise InputError(
                f"candidate {self.name!r}: its rater rates {ACTS.id}, of which more is not better; choose by a rater "
                "of expressed or perceived empathy, or by a reward model"
            )

    @property
    def knows_task(self) -> bool:
        return self.wanted.needs_task

    @property
    def prompt_hashes(self) -> dict[str, str]:
        return self.wanted.hashes()

    async def reply(self, view: AssistantView) -> Reply:
        wanted = self.wanted.of(view)
        drawn = await asyncio.gather(*(self._draw(view, number, wanted) for number in range(self.n)))
        spoken = [reply for reply in drawn if reply.text.strip()]
        ratings = await self.rater.rate([Passage((*view.messages, Message("assistant", r.text))) for r in spoken])
        ranks = [rank(rating, wanted.pattern, self.rater.scale) for rating in ratings]
        best = spoken[ranks.index(max(ranks))] if spoken else drawn[0]
        return with_usage_of(best, [*drawn, *map(_asked, ratings)])

    async def _draw(self, view: AssistantView, number: int, wanted: WantedEmpathy) -> Reply:
        if number:
            key = f"{view.episode_id}/draw {number + 1}"
            view = replace(view, episode_id=key, seed=derive_seed(view.seed, "draw", number + 1))
        messages = (*wanted.opening, *view.messages)
        return await ask(self.model, view, self.sampling, messages=messages, recognised_task=wanted.recognised_task)


def rank(rating: Rating, pattern: EmpathyPattern, scale: Scale) -> Rank:
    """Return how far up a reply stands.

    The score of a rating on the pattern's scale is its adherence to ``pattern``; of any other the mean of its values.
    """
    from holdfast.agents.raters.adherence import adherence_of  # brings numpy

    if rating.disqualified is not None:
        return 0, 0.0
    if set(scale.dimensions) == set(pattern.target.model_dump()):
        score = float(adherence_of([rating], pattern.target.on(scale.dimensions), scale)[0])
    else:
        score = sum(rating.levels(scale.dimensions)) / len(scale.dimensions)
    return (1, 0.0) if math.isnan(score) else (2, score)


def _asked(rating: Rating) -> Reply:
    """Return what a rating took, where the rater asked a model, some answers a second time."""
    prompt, completion = rating.tokens
    calls = sum(1 if sample.first is None else 2 for sample in rating.samples)
    return Reply("", prompt_tokens=prompt, completion_tokens=completion, calls=calls)
