"""The numbers of a results file: estimates with their limits, and curves of them by turn."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from holdfast.simulator.measure.bootstrap import Band
from holdfast.simulator.measure.decay.leaving import Incidence
from holdfast.simulator.measure.decay.survival import Survival


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite)]
"""A number, None where it is undefined (nan or infinite)."""
Share = Annotated[Number, WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "null"}]})]
Count = Annotated[int, Field(ge=0)]
TurnNumber = Annotated[int, Field(ge=1)]


class ResultsPart(BaseModel):
    """A part of a results file; made from a measure's dataclass where the fields have the same names."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Estimate(ResultsPart):
    """A figure with its 95 % limits; null: undefined, or without a limit on that side."""

    mean: Number
    lo: Number
    hi: Number

    @property
    def bounded(self) -> bool:
        """Whether mean and both limits are known."""
        return None not in (self.mean, self.lo, self.hi)

    @property
    def flipped(self) -> Estimate:
        """The same difference, taken the other way round."""
        mean, lo, hi = (None if v is None else -v for v in (self.mean, self.hi, self.lo))
        return Estimate(mean=mean, lo=lo, hi=hi)

    @property
    def excludes_zero(self) -> bool:
        """Whether the limits are known and lie on one side of 0."""
        return self.lo is not None and self.hi is not None and (self.lo > 0 or self.hi < 0)

    def times(self, factor: float) -> Estimate:
        """The same figure in another unit, ``factor`` > 0."""
        mean, lo, hi = (None if v is None else factor * v for v in (self.mean, self.lo, self.hi))
        return Estimate(mean=mean, lo=lo, hi=hi)


UNDEFINED = Estimate(mean=None, lo=None, hi=None)


class MeanEstimate(Estimate):
    """A mean over episodes with its 95 % limits (bootstrap clustered by persona, expanded percentiles).

    null: undefined; limits are null below two personas.
    """

    n: Count = Field(description="How many values it rests on: episodes, unless said otherwise.")


class TurnEstimate(MeanEstimate):
    """A mean at one turn; n: episodes that reached it."""

    turn: Count = Field(description="From 1; in logs, 0 holds what was labelled before the first turn.")


class SurvivalPoint(ResultsPart):
    """Kaplan-Meier share of conversations that still hold, with 95 % log-log limits (not clustered)."""

    turn: TurnNumber
    share: Share
    lo: Share
    hi: Share
    at_risk: Count
    events: Count = Field(description="Conversations that broke at this turn.")

    @property
    def mean(self) -> float | None:
        """The share, where charts read a value."""
        return self.share

    @property
    def n(self) -> int:
        """Conversations at risk, where charts read a count."""
        return self.at_risk


class IncidencePoint(ResultsPart):
    """Share of conversations that ended by one cause up to a turn (Aalen-Johansen), with 95 % log-log limits."""

    turn: TurnNumber
    share: Share
    lo: Share
    hi: Share


Curve = list[TurnEstimate]
"""One entry per turn that took place."""


def curve(band: Band, first: int = 1) -> Curve:
    """Turn a band over turns into a curve; its first column is turn ``first``."""
    columns = np.flatnonzero(band.n > 0).tolist()
    points = [(column + first, band.at(column)) for column in columns]
    return [TurnEstimate(turn=turn, mean=at.mean, lo=at.lo, hi=at.hi, n=at.n) for turn, at in points]


def survival_curve(survival: Survival, turns: int | None = None) -> list[SurvivalPoint]:
    """Turn a survival function into points, up to turn ``turns`` where given."""
    names = ("turn", "share", "lo", "hi", "at_risk", "events")
    rows = zip(*(getattr(survival, name)[:turns].tolist() for name in names), strict=True)
    return [SurvivalPoint(**dict(zip(names, row, strict=True))) for row in rows]


def incidence_curve(incidence: Incidence, turns: int | None = None) -> list[IncidencePoint]:
    """Turn a cumulative incidence into points, up to turn ``turns`` where given."""
    names = ("turn", "share", "lo", "hi")
    rows = zip(*(getattr(incidence, name)[:turns].tolist() for name in names), strict=True)
    return [IncidencePoint(**dict(zip(names, row, strict=True))) for row in rows]
