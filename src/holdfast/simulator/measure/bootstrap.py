"""95 % intervals by resampling personas, because episodes of one persona are alike.

Every statistic here is a function of means over episodes, so a resample is a vector of weights, one per persona, and
all resamples are one matrix product.

The limits are *expanded percentiles* (Hesterberg, "What Teachers Should Know About the Bootstrap", The American
Statistician 69(4), 2015): plain percentile intervals are too narrow by about sqrt((c - 1) / c) * z / t for c clusters
(8 personas cover 90 % instead of 95 %), so the percentiles are taken further out, at
Phi(-+ t(c - 1) * sqrt(c / (c - 1))), which is the plain 2.5 % and 97.5 % for many clusters. Limits always stay inside
the range of the resampled values. With very few clusters even that range is too narrow: with fewer than five both
limits are nan.

A bootstrap sees only what varies: where a figure is the same in every resample both limits are nan too, with a
``reason`` (:func:`all_alike`), for an interval without width would be far too certain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.core.wording import how_many
from holdfast.simulator.measure.arrays import Floats, Ints, divide, present_mean

Statistic = Callable[[Floats], Floats]
"""From means, rows x columns, to a figure of each row."""
Limits = tuple[Floats, Floats, list[str]]
"""Lower and upper limit of each column; and why it has none though clusters are enough, else ""."""

DRAWS = 1000
FEWEST = 5  # personas: fewer have no interval, because a resample of two or three says nothing of people
ALIKE = 1e-9  # values nearer to each other than this do not vary
NOT_BOUNDED = f"no limits below {FEWEST} of them, nor where all are alike, for some may differ unseen"


def too_few(people: int) -> str:
    """Say that so few people cannot be tested: ``"2 people: cannot be tested"``; "" from :data:`FEWEST` on."""
    return "" if people >= FEWEST else f"{how_many(people, 'person', 'people')}: cannot be tested"


def unseen_share(people: float) -> float:
    """Return the largest share of people that may differ from so many who are all alike: 1 - .05^(1 / people).

    If a share q differed, n people would all look alike with probability (1 - q)^n, below .05 from there on; about
    3 / n (the rule of three: Hanley & Lippman-Hand, JAMA 249, 1983).
    """
    return float(1 - 0.05 ** (1 / people))


def all_alike(people: int, unit: str = "people") -> str:
    """Say why a figure that is the same in so many people has no limits, and what that leaves open.

    ``"all 12 people alike: up to 22 % may differ unseen"``; "" below :data:`FEWEST`, see :func:`too_few`. ``unit``:
    what was resampled, where it was not people.
    """
    if people < FEWEST:
        return ""
    return f"all {people:,} {unit} alike: up to {100 * unseen_share(people):.2g} % may differ unseen"


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % limits; nan where undefined. ``n``: number of episodes behind it.

    ``reason``: why there are no limits though people are enough; else empty.
    """

    mean: float
    lo: float
    hi: float
    n: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """Intervals by column, one per turn (or another axis): five sequences of one length."""

    mean: Floats
    lo: Floats
    hi: Floats
    n: Ints
    reasons: Sequence[str]

    def at(self, column: int) -> Interval:
        """Return one column of the band."""
        mean, lo, hi = (float(each[column]) for each in (self.mean, self.lo, self.hi))
        return Interval(mean, lo, hi, int(self.n[column]), self.reasons[column])


@dataclass(frozen=True, slots=True)
class Resamples:
    """Resamples of clusters. Statistics that share one object share their resamples: they are paired.

    ``codes``: the cluster of each episode (episodes); ``weights``: how often each resample drew each cluster (draws x
    clusters).
    """

    codes: Ints
    weights: Floats

    @classmethod
    def of(cls, groups: Sequence[str], rng: np.random.Generator, draws: int = DRAWS) -> Resamples:
        """Draw as many clusters as there are, with replacement, ``draws`` times."""
        names, codes = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
        return cls(codes.astype(np.int64), draw_weights(len(names), rng, draws))


def draw_weights(clusters: int, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
    """Return how often each of ``draws`` resamples drew each cluster: as many as there are, with replacement."""
    if clusters == 0:
        return np.zeros((draws, 0))
    return rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=draws).astype(np.float64)


def mean_band(values: Floats, resamples: Resamples, level: float = 0.95) -> Band:
    """Return the mean over episodes of each column. ``values``: episodes x columns, nan where missing."""
    draws, clusters = _resampled_means(values, resamples)
    lo, hi, reasons = expanded_limits(draws, clusters, level)
    return Band(present_mean(values, axis=0), lo, hi, (~np.isnan(values)).sum(axis=0), reasons)


def mean_interval(values: Floats, resamples: Resamples, level: float = 0.95) -> Interval:
    """Return the mean over episodes. ``values``: episodes, nan where missing. ``level``: of the limits."""
    return mean_band(values[:, None], resamples, level).at(0)


def ratio_interval(numerator: Floats, denominator: Floats, resamples: Resamples) -> Interval:
    """Return the mean of ``numerator`` over the mean of ``denominator`` (episodes each), in the same resamples.

    A ratio of means, not a mean of ratios; nan where the denominator's mean is 0. ``n``: episodes that have a
    numerator.
    """
    return statistic_interval(np.stack([numerator, denominator], axis=1), resamples, ratio)


def statistic_interval(values: Floats, resamples: Resamples, statistic: Statistic) -> Interval:
    """Return a statistic of the means over episodes of several columns.

    ``values``: episodes x columns, nan where missing. ``n``: episodes with a value in the first column; limits rest on
    the personas of the column that has fewest of those columns that have any.
    """
    draws, clusters = _resampled_means(values, resamples)
    return _interval(statistic(present_mean(values, axis=0)[None]), statistic(draws), clusters, values[:, 0])


def difference_interval(a: Floats, b: Floats, resamples: Resamples, statistic: Statistic) -> Interval:
    """Return a statistic of ``a`` less that of ``b``: the same episodes' users, row by row, resampled together.

    As :func:`statistic_interval`; ``n``: episodes with a value in the first column of both.
    """
    sides = [_resampled_means(side, resamples) for side in (a, b)]
    whole = [statistic(present_mean(side, axis=0)[None]) for side in (a, b)]
    draws = statistic(sides[0][0]) - statistic(sides[1][0])
    clusters = np.concatenate([clusters for _, clusters in sides])
    return _interval(whole[0] - whole[1], draws, clusters, a[:, 0] - b[:, 0])


def ratio(means: Floats) -> Floats:
    """Return the first column over the second (rows x 2 -> rows); nan where the second is 0."""
    return divide(means[:, 0], means[:, 1])


def area(means: Floats) -> Floats:
    """Return the mean over columns (rows x turns -> rows): the area under a curve per turn, each turn alike."""
    return present_mean(means, axis=1)


def _interval(mean: Floats, draws: Floats, clusters: Ints, counted: Floats) -> Interval:
    fewest = clusters[clusters > 0].min(keepdims=True) if (clusters > 0).any() else np.zeros(1, dtype=np.int64)
    lo, hi, reasons = expanded_limits(draws[:, None], fewest)
    return Interval(float(mean[0]), float(lo[0]), float(hi[0]), int((~np.isnan(counted)).sum()), reasons[0])


def _resampled_means(values: Floats, resamples: Resamples) -> tuple[Floats, Ints]:
    """Return the means, draws x columns, and in how many clusters each column has a value."""
    clusters = resamples.weights.shape[1]
    there = ~np.isnan(values)
    member = np.zeros((clusters, len(values)))
    member[resamples.codes, np.arange(len(values))] = 1.0
    totals, counts = member @ np.where(there, values, 0.0), member @ there
    drawn = resamples.weights @ counts
    return divide(resamples.weights @ totals, drawn), (counts > 0).sum(axis=0)


def expanded_limits(draws: Floats, clusters: Ints, level: float = 0.95) -> Limits:
    """Return lower and upper limit of each column, and why it has none; undefined resamples (nan) are left out.

    Both limits are nan below :data:`FEWEST` clusters, and where the resamples do not vary, which has a reason.
    """
    from scipy.special import ndtr, stdtrit  # here, so that importing this module stays instant

    c = np.maximum(clusters, 2).astype(np.float64)
    tail = np.asarray(ndtr(stdtrit(c - 1, (1 - level) / 2) * np.sqrt(c / (c - 1))), dtype=np.float64)
    return _limits(draws, clusters, tail)


def percentile_limits(draws: Floats, clusters: Ints, level: float = 0.95, unit: str = "people") -> Limits:
    """Return the plain percentiles (Efron 1979); else as :func:`expanded_limits`. ``unit``: what the clusters are."""
    return _limits(draws, clusters, np.full(len(clusters), (1 - level) / 2), unit)


def _limits(draws: Floats, clusters: Ints, tail: Floats, unit: str = "people") -> Limits:
    enough = clusters >= FEWEST
    ordered = np.sort(draws, axis=0)  # nan last
    lo, hi = _quantile(ordered, tail), _quantile(ordered, 1 - tail)
    alike = enough & (np.fmax.reduce(ordered, axis=0) - ordered[0] <= ALIKE)
    lo, hi = (np.where(enough & ~alike, limit, np.nan) for limit in (lo, hi))
    return lo, hi, [all_alike(int(n), unit) if same else "" for n, same in zip(clusters, alike, strict=True)]


def _quantile(ordered: Floats, share: Floats) -> Floats:
    """Return the quantile ``share`` (one per column) of columns sorted with nan last, interpolated like numpy's."""
    there = (~np.isnan(ordered)).sum(axis=0)
    position = share * np.maximum(there - 1, 0)
    below = np.floor(position).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(there - 1, 0))
    columns = np.arange(ordered.shape[1])
    low, high = ordered[below, columns], ordered[above, columns]
    return np.asarray(low + (position - below) * (high - low), dtype=np.float64)
