"""Agreement of sets of ratings: mean difference, and intervals of it, of kappa, of alpha and of rank correlation.

A pair in which either rating is nan is left out; an undefined value is nan, never 0.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from holdfast.agents.raters.agreement import pairs
from holdfast.simulator.measure.arrays import Bools, Floats, Ints
from holdfast.simulator.measure.bootstrap import DRAWS, FEWEST, Interval, percentile_limits

Statistic = Callable[[Floats, Floats], float]
RowStatistic = Callable[[Ints], Sequence[float]]
"""From the rows of a resample to the values of some statistics; nan where undefined."""


def mean_absolute_difference(a: ArrayLike, b: ArrayLike) -> float:
    """Return the mean of ``|a - b|``, in the ratings' unit; nan without items."""
    first, second = pairs(a, b)
    return float(np.mean(np.abs(first - second))) if len(first) else float("nan")


def with_interval(
    statistic: Statistic,
    a: ArrayLike,
    b: ArrayLike,
    groups: Sequence[str] | None,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
) -> Interval:
    """Return a statistic of (a, b) with its interval, as :func:`row_intervals`; ``n``: items with both ratings."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    counted = ~(np.isnan(first) | np.isnan(second))
    return row_intervals(lambda rows: [statistic(first[rows], second[rows])], counted, groups, rng, draws=draws)[0]


def row_intervals(
    statistic: RowStatistic,
    counted: Bools,
    groups: Sequence[str] | None,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    unit: str = "people",
) -> list[Interval]:
    """Return statistics of items, each with the 95 % percentile interval of a bootstrap over whole groups.

    Resamples in which a statistic is undefined are left out. There are no limits below five groups, nor, with a
    reason, where it is the same in all resamples.

    Args:
        counted: (n,) items that have all that the statistics need; their groups are those that count.
        groups: (n,) the cluster of each item, for instance the person or the conversation; None: each item is its own.
        unit: What the groups are, in the plural.
    """
    names = np.arange(len(counted)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    members = [np.flatnonzero(names == group) for group in range(names.max() + 1 if len(names) else 0)]
    means = statistic(np.arange(len(counted)))
    drawn = [[float("nan")] * len(means)]
    if len(members) >= FEWEST:
        picks = (rng.integers(len(members), size=len(members)) for _ in range(draws))
        drawn = [[*statistic(np.concatenate([members[group] for group in picked]))] for picked in picks]
    clusters = np.full(len(means), len(np.unique(names[counted])))
    limits = zip(*percentile_limits(np.array(drawn), clusters, unit=unit), strict=True)
    n = int(counted.sum())
    return [Interval(mean, float(lo), float(hi), n, why) for mean, (lo, hi, why) in zip(means, limits, strict=True)]
