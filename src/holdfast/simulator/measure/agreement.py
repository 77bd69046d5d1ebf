"""Agreement of two sets of ratings: mean difference, and intervals of it, of kappa and of rank correlation.

A pair in which either rating is nan is left out; an undefined value is nan, never 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from holdfast.agents.raters.agreement import pairs
from holdfast.simulator.measure.arrays import Floats

Statistic = Callable[[Floats, Floats], float]


@dataclass(frozen=True, slots=True)
class Agreement:
    """A statistic of ``n`` rated items with its interval; ``undefined``: resamples without a value."""

    value: float
    lo: float
    hi: float
    n: int
    undefined: int


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
    draws: int = 2000,
    level: float = 0.95,
) -> Agreement:
    """Return a statistic of (a, b) with the percentile interval of a bootstrap over whole groups (Efron 1979).

    ``groups``: (n,) the cluster of each item, for instance the person or the conversation; None: each item is its own.
    Resamples in which the statistic is undefined are left out and counted. Both limits are nan below two groups.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    value = statistic(first, second)
    n = len(pairs(first, second)[0])
    names = np.arange(len(first)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    members = [np.flatnonzero(names == group) for group in range(names.max() + 1 if len(names) else 0)]
    if len(members) < 2:
        return Agreement(value, float("nan"), float("nan"), n, 0)
    drawn = np.empty(draws)
    for draw in range(draws):
        rows = np.concatenate([members[group] for group in rng.integers(len(members), size=len(members))])
        drawn[draw] = statistic(first[rows], second[rows])
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        return Agreement(value, float("nan"), float("nan"), n, draws)
    lo, hi = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Agreement(value, float(lo), float(hi), n, draws - len(defined))
