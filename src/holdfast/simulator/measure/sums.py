"""The bootstrap on sums by cluster, for very many conversations in constant memory.

A mean over episodes, resampled by cluster, is a ratio of weighted sums over clusters (see ``bootstrap``), so the sum
and count of the values per cluster are enough. The same holds for a correlation and a least-squares slope, whose
moments are sums. Where there are more clusters than rows, several clusters share a row. Clusters are independent, so a
sum of several is again an independent draw: intervals stay valid, with as many clusters as there are rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from holdfast.simulator.measure.arrays import Floats, Ints, divide
from holdfast.simulator.measure.bootstrap import Band, Interval, expanded_limits


@dataclass(frozen=True, slots=True)
class ClusterSums:
    """``totals``, ``counts``: clusters x columns; sum and number of the values that are not nan."""

    totals: Floats
    counts: Floats

    @classmethod
    def of(cls, values: Floats, clusters: Ints, size: int) -> ClusterSums:
        """Sum ``values`` (episodes x columns, nan where missing) by ``clusters`` (episodes, 0 to ``size`` - 1)."""
        there = ~np.isnan(values)
        totals, counts = (np.zeros((size, values.shape[1])) for _ in range(2))
        np.add.at(totals, clusters, np.where(there, values, 0.0))
        np.add.at(counts, clusters, there.astype(np.float64))
        return cls(totals, counts)


def sums_band(sums: ClusterSums, weights: Floats) -> Band:
    """Return the mean of each column with its 95 % limits; the same as ``bootstrap.mean_band`` on the episodes."""
    count = sums.counts.sum(axis=0)
    means = divide(weights @ sums.totals, weights @ sums.counts)
    lo, hi, reasons = expanded_limits(means, (sums.counts > 0).sum(axis=0))
    return Band(divide(sums.totals.sum(axis=0), count), lo, hi, count.astype(np.int64), reasons)


def sums_ratio(sums: ClusterSums, top: int, bottom: int, weights: Floats) -> Interval:
    """Return the mean of column ``top`` over that of ``bottom``; the same as ``bootstrap.ratio_interval``."""
    band = sums_band(sums, weights)
    means = divide(weights @ sums.totals, weights @ sums.counts)
    clusters = (sums.counts[:, [top, bottom]] > 0).sum(axis=0).min(keepdims=True)
    lo, hi, reasons = expanded_limits(divide(means[:, [top]], means[:, [bottom]]), clusters)
    mean = divide(band.mean[[top]], band.mean[[bottom]])
    return Interval(float(mean[0]), float(lo[0]), float(hi[0]), int(band.n[top]), reasons[0])


def pair_moments(x: Floats, y: Floats) -> Floats:
    """Return n, sums of x, y, x^2, y^2, xy over each row's pairs without nan: rows x 6, to be summed by cluster."""
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = np.where(both, x, 0.0), np.where(both, y, 0.0)
    columns = (both, x, y, x * x, y * y, x * y)
    return np.stack([np.asarray(column, dtype=np.float64).sum(axis=1) for column in columns], axis=1)


def correlation(moments: Floats, weights: Floats) -> Interval:
    """Return Pearson's r from :func:`pair_moments` summed by cluster (clusters x 6). nan where either does not vary."""
    return _from_moments(moments, weights, _r)


def within_moments(turn: Floats, length: Floats, value: Floats) -> Floats:
    """Return sums of squares and products about each episode's own means: rows x 6 (n, tt, tl, ll, tv, lv).

    ``turn``, ``length``, ``value``: episodes x turns; a turn counts where none of the three is nan. Episodes with fewer
    than three such turns give zeros.
    """
    there = ~(np.isnan(turn) | np.isnan(length) | np.isnan(value))
    n = there.sum(axis=1)
    there &= (n >= 3)[:, None]
    count = np.maximum(there.sum(axis=1), 1)[:, None]

    def offset(values: Floats) -> Floats:
        kept = np.where(there, values, 0.0)
        return np.where(there, kept - kept.sum(axis=1, keepdims=True) / count, 0.0)

    t, el, v = offset(turn), offset(length), offset(value)
    products = [(a * b).sum(axis=1) for a, b in ((t, t), (t, el), (el, el), (t, v), (el, v))]
    return np.stack([there.sum(axis=1).astype(np.float64), *products], axis=1)


def slope_within(moments: Floats, weights: Floats) -> Interval:
    """Return the slope per turn, from :func:`within_moments` summed by cluster; their length may be any constant.

    The within estimator, as in :func:`slope_given` without length: one line through all conversations, each about its
    own mean, so that a long conversation counts for more than a short one. nan where no turns differ.
    """
    return _from_moments(moments, weights, _simple)


def slope_given(moments: Floats, weights: Floats) -> Interval:
    """Return the slope per turn with length held constant, from :func:`within_moments` summed by cluster.

    Least squares of value on turn and length with an intercept for each episode (the within estimator: Wooldridge,
    Econometric Analysis of Cross Section and Panel Data, 2nd ed., section 10.5), by its normal equations. Where length
    does not vary it is :func:`slope_within`; nan where turn and length are collinear, and of three turns of one
    conversation, through which every such fit goes exactly.
    """
    return _from_moments(moments, weights, _partial)


def _from_moments(moments: Floats, weights: Floats, statistic: Callable[[Floats], Floats]) -> Interval:
    whole = statistic(moments.sum(axis=0, keepdims=True))
    clusters = np.array([(moments[:, 0] > 0).sum()])
    lo, hi, reasons = expanded_limits(statistic(weights @ moments)[:, None], clusters)
    return Interval(float(whole[0]), float(lo[0]), float(hi[0]), int(moments[:, 0].sum()), reasons[0])


def _r(m: Floats) -> Floats:
    n, x, y, xx, yy, xy = m.T
    spread = np.sqrt(np.maximum(n * xx - x * x, 0) * np.maximum(n * yy - y * y, 0))
    enough = (n >= 3) & (spread > 1e-9 * np.maximum(n * np.sqrt(xx * yy), 1e-300))
    return np.asarray(np.clip(divide(n * xy - x * y, spread, enough), -1, 1))


def _simple(m: Floats) -> Floats:
    return divide(m[:, 4], m[:, 1], m[:, 1] > 0)


def _partial(m: Floats) -> Floats:
    n, tt, tl, ll, tv, lv = m.T
    determinant = tt * ll - tl * tl
    enough = (n > 3) & (determinant > 1e-9 * np.maximum(tt * ll, 1e-300))  # two slopes and a mean take three turns
    slope = divide(ll * tv - tl * lv, determinant, enough)
    return np.where(ll > 1e-12 * np.maximum(tt, 1.0), slope, _simple(m))
