"""What people would say on average, from a few of their labels and many ratings: prediction-powered inference.

With labels y of some replies, each drawn with a known inclusion probability, and a rater's scores f of all of them::

    mean = ȳ + lambda (f̄ of all replies - f̄ of the labelled ones)        labelled means weighted by 1 / probability

The labels correct whatever the rater gets wrong, so the interval is valid for any rater; a good one only makes it
shorter (Angelopoulos et al., Prediction-powered inference, Science 382, 2023). ``lambda`` is the slope of labels on
scores, so that a useless rater costs nothing (Angelopoulos, Duchi & Zrnic, PPI++, arXiv 2311.01453). Without scores it
is Hájek's weighted mean of the labels alone (lambda = 0); without labels, the scores' mean, which rests on the rater.

Replies to one person are alike, so errors are those of a jackknife that leaves out one person at a time (conservative:
Efron & Stein, Annals of Statistics 9, 1981), with Student's t on persons - 1. It repeats the whole estimate, lambda
too. A rater that was fitted on these labels must give scores from folds that had not seen the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdfast.simulator.measure.arrays import Floats, Ints, divide, present_mean
from holdfast.simulator.measure.estimates import Estimate

TRUSTED_FROM = 10  # persons with labels: below it an interval is told to rest on too few

Method = Literal["labels and rater", "labels only", "rater only"]
METHODS: tuple[Method, ...] = ("labels and rater", "labels only", "rater only")


@dataclass(frozen=True, slots=True)
class LabelledReplies:
    """One candidate's replies, R of them.

    Attributes:
        scores: (R,) a rater's; nan where it gave none.
        labels: (R,) people's, on any scale; nan where nobody labelled the reply.
        inclusion: (R,) the probability in (0, 1] with which each labelled reply was drawn.
        persons: (R,) whom each reply was given to, as codes of 0 .. P - 1.
        count: P, also where some person has no reply here; so that estimates of two candidates can be paired.
    """

    scores: Floats
    labels: Floats
    inclusion: Floats
    persons: Ints
    count: int

    def __post_init__(self) -> None:
        labelled = ~np.isnan(self.labels)
        drawn = self.inclusion[labelled]
        if not np.all((drawn > 0) & (drawn <= 1)):
            raise ValueError("an inclusion probability of a labelled reply is not above 0 and at most 1")

    def within(self, replies: Sequence[bool] | np.ndarray) -> LabelledReplies:
        """Return the same persons with only those replies where ``replies`` (R,) is True."""
        kept = np.asarray(replies, dtype=np.bool_)
        parts = (self.scores[kept], self.labels[kept], self.inclusion[kept], self.persons[kept])
        return LabelledReplies(*parts, self.count)


@dataclass(frozen=True, slots=True)
class Jackknifed:
    """An estimate, and the same without each person in turn.

    Attributes:
        value: nan where it is undefined.
        without: (P,) nan where leaving out that person leaves nothing, or where the person has no part in it.
        share: Of the variance that is left: below 1 where the persons with labels are a part of a finite population.
    """

    value: float
    without: Floats
    share: float = 1.0

    @property
    def persons(self) -> int:
        """How many persons the estimate rests on."""
        return int((~np.isnan(self.without)).sum())

    @property
    def variance(self) -> float:
        """Jackknife variance; nan below two persons."""
        return covariance(self, self)

    def minus(self, other: Jackknifed) -> Jackknifed:
        """Return the difference over the same persons: what both have in common cancels."""
        without = _filled(self) - _filled(other)
        without[np.isnan(self.without) & np.isnan(other.without)] = np.nan
        return Jackknifed(self.value - other.value, without, max(self.share, other.share))

    def interval(self, level: float = 0.95) -> Estimate:
        """Return the estimate with its limits, by Student's t."""
        half = _t(self.persons, level) * np.sqrt(self.variance)
        return Estimate(mean=self.value, lo=self.value - half, hi=self.value + half)


def mean_of(replies: LabelledReplies, method: Method = "labels and rater", *, finite: bool = False) -> Jackknifed:
    """Estimate the mean label of all replies.

    ``finite``: what is asked is the mean over just these persons, whose scores are all known, and labels were drawn by
    whole persons; else they stand for people like them.
    """
    if method == "rater only":
        return _mean_score(replies)
    labelled = ~np.isnan(replies.labels)
    sums = _sums(replies, labelled)
    everywhere = _score_sums(replies)
    has_labels = sums[0] > 0
    part = has_labels if finite else has_labels | (everywhere[0] > 0)
    without = np.full(replies.count, np.nan)
    tuned = method == "labels and rater"
    total, total_scores = sums.sum(axis=1), everywhere.sum(axis=1)
    for person in np.flatnonzero(part):
        scores = total_scores if finite else total_scores - everywhere[:, person]
        without[person] = _estimate(total - sums[:, person], scores, tuned)
    if not finite:  # a person without labels moves the scores' mean only
        without = without if tuned else np.where(has_labels, without, np.nan)
    share = 1 - has_labels.sum() / max(1, int((everywhere[0] > 0).sum())) if finite else 1.0
    return Jackknifed(_estimate(total, total_scores, tuned), without, share)


def fieller_interval(top: Jackknifed, bottom: Jackknifed, level: float = 0.95) -> Estimate:
    """Return top / bottom with Fieller's limits (Fieller, JRSS B 16, 1954), for retention.

    Without limits (None) where ``bottom`` is not surely different from 0.
    """
    if not np.isfinite(bottom.value) or bottom.value == 0:
        return Estimate(mean=None, lo=None, hi=None)
    ratio = top.value / bottom.value
    t = _t(min(top.persons, bottom.persons), level)
    v_top, v_bottom, both = top.variance, bottom.variance, covariance(top, bottom)
    g = t * t * v_bottom / bottom.value**2
    inner = v_top - 2 * ratio * both + ratio**2 * v_bottom - g * (v_top - both**2 / v_bottom if v_bottom else v_top)
    if not g < 1 or not inner >= 0:
        return Estimate(mean=ratio, lo=None, hi=None)
    centre = ratio - (g * both / v_bottom if v_bottom else 0.0)
    half = t / abs(bottom.value) * np.sqrt(inner)
    return Estimate(mean=ratio, lo=(centre - half) / (1 - g), hi=(centre + half) / (1 - g))


def covariance(a: Jackknifed, b: Jackknifed) -> float:
    """Return the jackknife covariance of two estimates over the same persons; nan below two."""
    either = ~(np.isnan(a.without) & np.isnan(b.without))
    persons = int(either.sum())
    if persons < 2:
        return float("nan")
    of_a, of_b = _filled(a)[either], _filled(b)[either]
    spread = ((of_a - of_a.mean()) * (of_b - of_b.mean())).sum()
    return float((persons - 1) / persons * spread * max(a.share, b.share))


def _filled(of: Jackknifed) -> Floats:
    """Without a person who has no part in it, the estimate is what it is."""
    return np.where(np.isnan(of.without), of.value, of.without)


def _mean_score(replies: LabelledReplies) -> Jackknifed:
    count, total = _score_sums(replies)
    without = divide(total.sum() - total, count.sum() - count)
    return Jackknifed(float(divide([total.sum()], [count.sum()])[0]), np.where(count > 0, without, np.nan))


def _score_sums(replies: LabelledReplies) -> Floats:
    """(2, P): how many scores each person's replies have, and their sum."""
    there = ~np.isnan(replies.scores)
    persons, scores = replies.persons[there], replies.scores[there]
    counted = (np.bincount(persons, weights, replies.count) for weights in (None, scores))
    return np.stack([each.astype(np.float64) for each in counted])


def _sums(replies: LabelledReplies, labelled: np.ndarray) -> Floats:
    """(6, P) weighted sums over labelled replies: 1, y, f, y f, f f, and how many there are. An absent score is the
    mean one, which moves nothing."""
    scores = replies.scores[labelled]
    scores = np.where(np.isnan(scores), present_mean(replies.scores), scores)
    scores = np.nan_to_num(scores)
    labels, weight = replies.labels[labelled], 1 / replies.inclusion[labelled]
    columns = (weight, weight * labels, weight * scores, weight * labels * scores, weight * scores**2, None)
    persons = replies.persons[labelled]
    return np.stack([np.bincount(persons, each, replies.count).astype(np.float64) for each in columns])


def _estimate(sums: Floats, scores: Floats, tuned: bool) -> float:
    """The mean label, from the sums of all persons that count."""
    weight, y, f, yf, ff, labels = sums
    if labels < 1:
        return float("nan")
    mean_y, mean_f = y / weight, f / weight
    if not tuned or scores[0] < 1:
        return float(mean_y)
    spread = ff / weight - mean_f**2
    slope = (yf / weight - mean_y * mean_f) / spread if spread > 1e-12 and labels > 2 else 0.0
    return float(mean_y + slope * (scores[1] / scores[0] - mean_f))


def _t(persons: int, level: float) -> float:
    from scipy.special import stdtrit  # here, so that importing this module stays instant

    return float(-stdtrit(persons - 1, (1 - level) / 2)) if persons > 1 else float("nan")
