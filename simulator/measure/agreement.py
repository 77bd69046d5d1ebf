"""How well two sets of ratings agree: kappa, rank correlation, mean difference, and intervals for any of them.

Pure functions. A pair in which either rating is nan is left out; what is undefined is nan, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from simulator.measure.arrays import Floats

Statistic = Callable[[Floats, Floats], float]


@dataclass(frozen=True, slots=True)
class Agreement:
    """A statistic of ``n`` rated items with its interval; ``undefined``: resamples that had no value."""

    value: float
    lo: float
    hi: float
    n: int
    undefined: int


def pairs(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    """Both ratings of every item that has both, (n,) each. Raises ValueError for different lengths."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"ratings must be two lists of one length, got shapes {first.shape} and {second.shape}")
    both = ~(np.isnan(first) | np.isnan(second))
    return first[both], second[both]


def quadratic_weighted_kappa(a: ArrayLike, b: ArrayLike) -> float:
    """Cohen's kappa with quadratic weights (Cohen 1968) of two lists of numeric levels.

    1 is agreement, 0 chance, below 0 worse than chance. With squared differences as weights it is
    ``1 - E[(a - b)^2] / E[(a - b')^2]`` with b' drawn independently of a, that is
    ``2 cov(a, b) / (var a + var b + (mean a - mean b)^2)``: levels need not be whole numbers, and levels that nobody
    used do not matter. nan where there is no item, or both gave one and the same level throughout.
    """
    first, second = pairs(a, b)
    if not len(first):
        return float("nan")
    by_chance = first.var() + second.var() + (first.mean() - second.mean()) ** 2
    if by_chance == 0:
        return float("nan")
    return float(1 - np.mean((first - second) ** 2) / by_chance)


def mean_absolute_difference(a: ArrayLike, b: ArrayLike) -> float:
    """Mean of ``|a - b|``, in the ratings' unit; nan where there is no item."""
    first, second = pairs(a, b)
    return float(np.mean(np.abs(first - second))) if len(first) else float("nan")


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rank correlation, ties ranked by their mean; nan below two items or where one list is constant."""
    first, second = (_ranks(values) for values in pairs(a, b))
    if len(first) < 2 or first.std() == 0 or second.std() == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: Floats) -> Floats:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[place])


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
    """A statistic of (a, b) with the percentile interval of a bootstrap that draws whole groups (Efron 1979).

    ``groups``: (n,) what belongs together, for instance the person or the conversation; None: every item alone.
    A resample in which the statistic is undefined is left out and counted. Both limits are nan below two groups.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    value = statistic(first, second)
    n = len(pairs(first, second)[0])
    names = np.arange(len(first)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    members = [np.flatnonzero(names == one) for one in range(names.max() + 1 if len(names) else 0)]
    if len(members) < 2:
        return Agreement(value, float("nan"), float("nan"), n, 0)
    drawn = np.empty(draws)
    for draw in range(draws):
        rows = np.concatenate([members[one] for one in rng.integers(len(members), size=len(members))])
        drawn[draw] = statistic(first[rows], second[rows])
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        return Agreement(value, float("nan"), float("nan"), n, draws)
    lo, hi = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Agreement(value, float(lo), float(hi), n, draws - len(defined))
