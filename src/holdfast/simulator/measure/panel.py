"""Several raters on the same passages: how far they agree, and where they do not. They are never averaged here.

A mean over raters who disagree hides what most needs showing, so there are only each rater's ratings, their agreement,
and the passages on which they are furthest apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from holdfast.agents.raters.agreement import (
    krippendorff_alpha,
    linear_weighted_kappa,
    pairs,
    quadratic_weighted_kappa,
    spearman,
)
from holdfast.agents.raters.protocol import Rater, Rating, Scale
from holdfast.core.errors import InputError
from holdfast.simulator.measure.agreement import row_intervals
from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.bootstrap import Interval


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two raters on one dimension.

    Attributes:
        quadratic_kappa, linear_kappa, spearman: nan where undefined, for instance where a rater never moves.
        mean_difference: First minus second.
        n: Passages that both rated.
        missing: Passages that one of them, or neither, rated.
    """

    first: str
    second: str
    quadratic_kappa: float
    linear_kappa: float
    spearman: float
    mean_difference: float
    n: int
    missing: int


@dataclass(frozen=True, slots=True)
class DimensionAgreement:
    """One dimension over all raters: Krippendorff's alpha of an interval and of an ordinal scale; ``n``: passages with
    two scores or more."""

    dimension: str
    interval: Interval
    ordinal: Interval
    n: int
    pairs: tuple[PairAgreement, ...]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A passage on which raters are apart: ``scores`` by rater, and the widest gap in shares of the scale's width."""

    passage: int
    dimension: str
    gap: float
    scores: dict[str, float]


def require_one_scale(raters: Mapping[str, Rater]) -> None:
    """Raise InputError unless all raters rate on one scale: others cannot be held against each other."""
    if len({rater.scale.id for rater in raters.values()}) > 1:
        listed = ", ".join(f"{name} ({rater.scale.id})" for name, rater in raters.items())
        raise InputError(f"raters are compared on one scale; got {listed}: take one scale with --scale")


def agreement(
    ratings: Mapping[str, Sequence[Rating]],
    scale: Scale,
    rng: np.random.Generator,
    *,
    groups: Sequence[str] | None = None,
    draws: int = 1000,
) -> list[DimensionAgreement]:
    """Agreement on every dimension. ``groups``: (n,) the conversations, which are resampled whole; None: each passage
    alone."""
    return [
        _on_dimension(name, {who: _values(each, name) for who, each in ratings.items()}, rng, groups, draws)
        for name in scale.dimensions
    ]


def disputes(ratings: Mapping[str, Sequence[Rating]], scale: Scale, most: int = 10) -> list[Dispute]:
    """The ``most`` widest gaps between two raters, widest first; equal ones in the order of the passages."""
    gaps = []
    for name in scale.dimensions:
        columns = {who: _values(each, name) for who, each in ratings.items()}
        for index in range(len(next(iter(columns.values())))):
            known = {who: float(values[index]) for who, values in columns.items() if not np.isnan(values[index])}
            if len(known) > 1:
                gap = (max(known.values()) - min(known.values())) / scale.width
                gaps.append(Dispute(index, name, gap, known))
    apart = [dispute for dispute in gaps if dispute.gap > 0]
    return sorted(apart, key=lambda dispute: (-dispute.gap, dispute.passage))[:most]


def pair_agreement(first: str, second: str, a: Floats, b: Floats) -> PairAgreement:
    """Compare the values (n,) of two raters, named ``first`` and ``second``; nan where one is missing."""
    x, y = pairs(a, b)
    return PairAgreement(
        first,
        second,
        quadratic_weighted_kappa(x, y),
        linear_weighted_kappa(x, y),
        spearman(x, y),
        float((x - y).mean()) if len(x) else float("nan"),
        n=len(x),
        missing=len(a) - len(x),
    )


def _values(ratings: Sequence[Rating], dimension: str) -> Floats:
    return np.array([rating.counted.get(dimension, np.nan) for rating in ratings], dtype=np.float64)


def _on_dimension(
    dimension: str, columns: dict[str, Floats], rng: np.random.Generator, groups: Sequence[str] | None, draws: int
) -> DimensionAgreement:
    table = np.stack(list(columns.values()))
    rated = (~np.isnan(table)).sum(axis=0) > 1

    def alphas(items: Ints) -> list[float]:
        return [krippendorff_alpha(table[:, items]), krippendorff_alpha(table[:, items], "ordinal")]

    unit = "passages" if groups is None else "conversations"
    interval, ordinal = row_intervals(alphas, rated, groups, rng, draws=draws, unit=unit)
    compared = tuple(pair_agreement(a, b, columns[a], columns[b]) for a, b in combinations(columns, 2))
    return DimensionAgreement(dimension, interval, ordinal, int(rated.sum()), compared)
