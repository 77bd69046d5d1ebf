"""How well ratings of the same items agree: kappa, Krippendorff's alpha, rank correlation. numpy only.

Pure functions. A rating that is nan is absent; what is undefined is nan, never 0.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Metric = Literal["interval", "ordinal"]


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


def linear_weighted_kappa(a: ArrayLike, b: ArrayLike) -> float:
    """Cohen's kappa with absolute differences as weights (Cohen 1968); as above otherwise.

    The mean of ``|a - b'|`` over all n^2 couples is taken from sorted values, so memory stays linear in n.
    """
    first, second = pairs(a, b)
    if not len(first):
        return float("nan")
    ordered = np.sort(second)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    below = np.searchsorted(ordered, first)
    distance = first * below - sums[below] + (sums[-1] - sums[below]) - first * (len(first) - below)
    by_chance = float(distance.mean()) / len(first)
    if by_chance <= 0:
        return float("nan")
    return float(1 - np.mean(np.abs(first - second)) / by_chance)


def best_cuts(expected: Floats, truth: Floats | NDArray[np.int64], steps: int = 60) -> tuple[Floats, float]:
    """Two cuts of ``expected`` into levels 0, 1, 2 that agree best with ``truth``, and their kappa.

    It is :func:`quadratic_weighted_kappa`, whose second form needs only sums per cut.
    """
    grid = np.unique(np.quantile(expected, np.linspace(0.2, 0.99, steps)))
    above = (expected[:, None] > grid).astype(np.float64)
    share, product = above.mean(axis=0), (above * truth[:, None]).mean(axis=0)
    low, high = np.triu_indices(len(grid))
    mean = share[low] + share[high]
    variance = share[low] + 3 * share[high] - mean**2  # above[low] >= above[high], both 0 or 1
    covariance = product[low] + product[high] - mean * truth.mean()
    kappa = 2 * covariance / (variance + truth.var() + (mean - truth.mean()) ** 2)
    kappa[grid[high] - grid[low] < 0.1] = -1  # a scale needs room between its cuts
    best = int(np.argmax(kappa))
    return grid[[low[best], high[best]]], float(kappa[best])


def krippendorff_alpha(ratings: ArrayLike, metric: Metric = "interval") -> float:
    """Krippendorff's alpha of ``ratings`` (raters, items), nan where a rater has not rated an item.

    ``1 - D_o / D_e``: squared differences within items over those among all values of items that have two or more
    (Krippendorff 2011, *Computing Krippendorff's Alpha-Reliability*). 1 is agreement, 0 chance. "interval" takes values
    as they are; "ordinal" takes their mid-ranks among the pairable values, which is the same as Krippendorff's sum of
    the frequencies between two values. nan where no item has two ratings, or all pairable values are equal.
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"ratings must be (raters, items), got shape {table.shape}")
    rated = ~np.isnan(table)
    table, rated = table[:, rated.sum(axis=0) > 1], rated[:, rated.sum(axis=0) > 1]
    values = table[rated]
    if not len(values):
        return float("nan")
    if metric == "ordinal":
        values = mid_ranks(values)
    filled = np.zeros_like(table)
    filled[rated] = values - values.mean()  # centred: the sums of squares below lose no digits
    per_item = rated.sum(axis=0)
    # sum over couples i != j of (x_i - x_j)^2 is 2 m sum x^2 - 2 (sum x)^2
    within = 2 * per_item * (filled**2).sum(axis=0) - 2 * filled.sum(axis=0) ** 2
    observed = float((within / (per_item - 1)).sum()) / len(values)
    expected = 2 * float((filled**2).sum()) / (len(values) - 1)
    return 1 - observed / expected if expected > 0 else float("nan")


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rank correlation, ties ranked by their mean; nan below two items or where one list is constant."""
    first, second = (mid_ranks(values) for values in pairs(a, b))
    if len(first) < 2 or first.std() == 0 or second.std() == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def mid_ranks(values: Floats) -> Floats:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[place])
