"""Figures as results files give them: estimates with their limits, and curves of them by turn; undefined is None."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.bootstrap import Band, Resamples, mean_interval


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

    @classmethod
    def undefined(cls, **known: Any) -> Self:
        """Make a part whose figures are undefined but for those that are ``known``; what has a default keeps it."""
        needed = [name for name, field in cls.model_fields.items() if field.is_required()]
        return cls(**(dict.fromkeys(needed) | known))

    @classmethod
    def rows_of(cls, arrays: object, turns: int | None = None) -> list[Self]:
        """Make a part of each turn, up to ``turns`` where given, from the arrays that ``arrays`` has for the fields."""
        columns = [getattr(arrays, name)[:turns].tolist() for name in cls.model_fields]
        return [cls(**dict(zip(cls.model_fields, row, strict=True))) for row in zip(*columns, strict=True)]


class Estimate(ResultsPart):
    """A figure with its 95 % limits; null: undefined, or without a limit on that side."""

    mean: Number
    lo: Number
    hi: Number
    reason: str = Field(
        default="",
        description="Why a figure or its limits are null though people are enough, or what limits rest on; or empty.",
    )

    @property
    def bounded(self) -> bool:
        """Whether mean and both limits are known."""
        return None not in (self.mean, self.lo, self.hi)

    @property
    def flipped(self) -> Estimate:
        """The same difference, taken the other way round."""
        mean, lo, hi = (None if v is None else -v for v in (self.mean, self.hi, self.lo))
        return Estimate(mean=mean, lo=lo, hi=hi, reason=self.reason)

    @property
    def excludes_zero(self) -> bool:
        """Whether the limits are known and lie on one side of 0."""
        return self.lo is not None and self.hi is not None and (self.lo > 0 or self.hi < 0)

    def times(self, factor: float) -> Estimate:
        """The same figure in another unit, ``factor`` > 0."""
        mean, lo, hi = (None if v is None else factor * v for v in (self.mean, self.lo, self.hi))
        return Estimate(mean=mean, lo=lo, hi=hi, reason=self.reason)


UNDEFINED = Estimate(mean=None, lo=None, hi=None)


class MeanEstimate(Estimate):
    """A mean over episodes with its 95 % limits (bootstrap clustered by persona, expanded percentiles).

    null: undefined; limits are null below five personas, and where all are alike (``reason``).
    """

    n: Count = Field(description="How many values it rests on: episodes, unless said otherwise.")

    def exactly(self, reason: str) -> MeanEstimate:
        """The same figure without limits: it is known, for this reason."""
        return MeanEstimate(mean=self.mean, lo=None, hi=None, n=self.n, reason=reason)


class TurnEstimate(MeanEstimate):
    """A mean at one turn; n: episodes that reached it."""

    turn: Count = Field(description="From 1; in logs, 0 holds what was labelled before the first turn.")


Curve = list[TurnEstimate]
"""One entry per turn that took place."""


def curve(band: Band, first: int = 1) -> Curve:
    """Turn a band over turns into a curve; its first column is turn ``first``."""
    columns = np.flatnonzero(band.n > 0).tolist()
    return [TurnEstimate(turn=column + first, **asdict(band.at(column))) for column in columns]


def estimate(values: Floats, resamples: Resamples) -> MeanEstimate:
    """Estimate the mean over episodes. ``values``: episodes, nan where missing."""
    return MeanEstimate.model_validate(mean_interval(values, resamples))
