"""A rater of expressed empathy, seen as a rater on a scale: so that it can sit on a panel beside judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.protocols import Exchange, Rater
from agents.raters.judgement import EXPRESSED, Judgement, Passage, Scale, Stamp


@dataclass(frozen=True, slots=True)
class ExpressedScaleRater:
    """Wraps a :class:`agents.protocols.Rater`; it reads a passage's last two messages."""

    rater: Rater

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.rater.id, self.rater.version)

    @property
    def scale(self) -> Scale:
        return EXPRESSED

    async def judge(self, passages: Sequence[Passage]) -> list[Judgement]:
        exchanges = [
            Exchange(one.messages[-2].content if len(one.messages) > 1 else "", one.messages[-1].content)
            for one in passages
        ]
        rated = await self.rater.rate(exchanges)
        return [Judgement(self.stamp, dict(zip(EXPRESSED.dimensions, one.as_array(), strict=True))) for one in rated]
