"""What people would say on average, from a few of their labels and many ratings: prediction-powered inference.

With labels y of some replies, each drawn with a known inclusion probability, and a rater's scores f of all of them::

    mean = ȳ + lambda (f̄ of all replies - f̄ of the labelled ones)        labelled means weighted by 1 / probability

The labels correct whatever the rater gets wrong, so the interval is valid for any rater; a good one only makes it
shorter (Angelopoulos et al., Prediction-powered inference, Science 382, 2023). ``lambda`` is the slope of labels on
scores, so that a useless rater costs nothing (Angelopoulos, Duchi & Zrnic, PPI++, arXiv 2311.01453). Without scores it
is Hájek's weighted mean of the labels alone (lambda = 0); without labels, the scores' mean, which rests on the rater.
A rater that was fitted on these labels must give scores from folds that had not seen the person.

**What the gate stops counts 0, and which replies those are is known of all**, labelled or not. So only the mean of what
it lets through is estimated, and multiplied by its share (post-stratification: Holt & Smith, JRSS A 142, 1979; Särndal,
Swensson & Wretman, Model Assisted Survey Sampling, 1992, ch. 7 and 10; Fisch et al., Stratified prediction-powered
inference, arXiv 2406.04291). Labels of stopped replies say nothing. Student's t counts the persons with a label, or
with ``lambda`` those with a score, of a reply that is let through.

Replies to one person are alike, so errors are those of a jackknife over persons (``jackknifed``), which repeats the
whole estimate, lambda and the share too.

**Labels that do not vary** between persons, or that a rater predicts without any error, get limits by what may differ
unseen (``jackknifed``). Unequal chances make its n smaller (Kish, Survey Sampling, 1965).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from holdfast.core.wording import how_many
from holdfast.simulator.measure.arrays import Bools, Floats, Ints, divide, present_mean
from holdfast.simulator.measure.bootstrap import ALIKE, FEWEST, unseen_share
from holdfast.simulator.measure.jackknifed import UNVARIED, Jackknifed

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
        stopped: (R,) which the gate stopped: they count 0, whatever their label. None: none of them.
        lowest, highest: The ends of what a label can be.
        place: Where they stand, for reasons: "in the last quarter".
    """

    scores: Floats
    labels: Floats
    inclusion: Floats
    persons: Ints
    count: int
    stopped: Bools | None = None
    lowest: float = -np.inf
    highest: float = np.inf
    place: str = ""

    def __post_init__(self) -> None:
        drawn = self.inclusion[self.labelled]
        if not np.all((drawn > 0) & (drawn <= 1)):
            raise ValueError("an inclusion probability of a labelled reply is not above 0 and at most 1")

    @property
    def labelled(self) -> Bools:
        """(R,) which have a label."""
        return ~np.isnan(self.labels)

    @property
    def let_through(self) -> LabelledReplies:
        """Those that the gate did not stop."""
        return self if self.stopped is None else self.within(~self.stopped)

    def within(self, replies: Sequence[bool] | np.ndarray, place: str = "") -> LabelledReplies:
        """Return the same persons with only those replies where ``replies`` (R,) is True."""
        kept = np.asarray(replies, dtype=np.bool_)
        return replace(
            self,
            scores=self.scores[kept],
            labels=self.labels[kept],
            inclusion=self.inclusion[kept],
            persons=self.persons[kept],
            stopped=None if self.stopped is None else self.stopped[kept],
            place=place or self.place,
        )


def mean_of(replies: LabelledReplies, method: Method = "labels and rater", *, finite: bool = False) -> Jackknifed:
    """Estimate the mean label of all replies, where those that the gate stopped count 0.

    ``finite``: what is asked is the mean over just these persons, whose scores are all known, and labels were drawn by
    whole persons; else they stand for people like them.
    """
    heard = replies.let_through
    if len(replies.persons) and not len(heard.persons):
        return _all_stopped(replies, finite)
    if method == "rater only":
        return _mean_score(replies)
    if why := _too_little(replies, heard):
        return Jackknifed(float("nan"), np.full(replies.count, np.nan), reason=why)
    tuned, sums, scores = method == "labels and rater", _sums(heard), _score_sums(heard)
    has_labels = sums[0] > 0
    counted = has_labels | (scores[0] > 0) if tuned and not finite else has_labels
    gated = len(heard.persons) < len(replies.persons) and not finite  # then whoever got a reply moves the share
    through, through_without = _share_let_through(replies, heard, finite)
    total, total_scores = sums.sum(axis=1), scores.sum(axis=1)
    without = np.full(replies.count, np.nan)
    for person in np.flatnonzero(_given(replies) if gated else counted):
        left = total_scores if finite else total_scores - scores[:, person]
        without[person] = through_without[person] * _estimate(total - sums[:, person], left, tuned)
    share = 1 - int(has_labels.sum()) / max(1, int((scores[0] > 0).sum())) if finite else 1.0
    below, above = (through * math.sqrt(share) * each for each in _unseen(heard, sums, tuned))
    return Jackknifed(
        through * _estimate(total, total_scores, tuned),
        without,
        share,
        int(has_labels.sum()),
        counted,
        below,
        above,
        min(0.0, replies.lowest) if gated else replies.lowest,
        replies.highest,
        f"{_said('labels do not vary', replies.place)}: {UNVARIED}" if above or below else "",
    )


def _all_stopped(replies: LabelledReplies, finite: bool) -> Jackknifed:
    """0, which is exact for these persons; people like them may still be given some reply that is let through."""
    there = _given(replies) > 0
    ends = min(0.0, replies.lowest), max(0.0, replies.highest)
    none = Jackknifed(
        0.0, np.where(there, 0.0, np.nan), 0.0 if finite else 1.0, int(there.sum()), None, 0.0, 0.0, *ends
    )
    return none.unless_it_varies(
        _said(f"exactly 0 here, as the gate stopped all {len(replies.persons):,} replies", replies.place)
    )


def _too_little(replies: LabelledReplies, heard: LabelledReplies) -> str:
    """Why labels do not tell the mean of what the gate lets through; empty where they do."""
    people, of = _people(heard), len(heard.persons)
    if not of:
        return _said("no reply", replies.place)
    stopped = of < len(replies.persons)
    which = f"among the {of:,} that the gate lets through" if stopped else f"among the {of:,}"
    if not people:
        return f"{_said(f'no labelled reply {which}', replies.place)}: cannot tell"
    if stopped and people < FEWEST <= len(np.unique(replies.persons)):
        whose = how_many(people, "person", "people")
        return f"{_said(f'{whose} with a labelled reply {which}', replies.place)}: cannot tell"
    return ""


def _said(what: str, place: str) -> str:
    return f"{what} {place}".rstrip()


def _people(replies: LabelledReplies) -> int:
    return len(np.unique(replies.persons[replies.labelled]))


def _given(replies: LabelledReplies) -> Floats:
    """(P,) how many replies each person was given."""
    return np.bincount(replies.persons, minlength=replies.count).astype(np.float64)


def _share_let_through(replies: LabelledReplies, heard: LabelledReplies, finite: bool) -> tuple[float, Floats]:
    """The share of replies that the gate lets through; and (P,) without each person, where that may change it."""
    through, given = _given(heard), _given(replies)
    share = float(divide([through.sum()], [given.sum()])[0])
    if finite:
        return share, np.full(replies.count, share)
    return share, divide(through.sum() - through, given.sum() - given)


def _unseen(heard: LabelledReplies, sums: Floats, tuned: bool) -> tuple[float, float]:
    """How far the mean may lie below and above what labels say that do not vary between people; 0 where they do."""
    slope = _slope(sums.sum(axis=1), tuned)
    weight, y, f, *_ = sums[:, sums[0] > 0]
    left = (y - slope * f) / weight
    if np.ptp(left) > ALIKE:
        return 0.0, 0.0
    drawn = 1 / heard.inclusion[heard.labelled]
    share = unseen_share(len(weight) * drawn.sum() ** 2 / (len(drawn) * (drawn**2).sum()))
    scores = np.nan_to_num(heard.scores, nan=float(np.nan_to_num(present_mean(heard.scores))))
    predicted = left.mean() + slope * scores
    return share * float(predicted.max() - heard.lowest), share * float(heard.highest - predicted.min())


def _mean_score(replies: LabelledReplies) -> Jackknifed:
    count, total = _score_sums(replies)
    without = divide(total.sum() - total, count.sum() - count)
    made = Jackknifed(
        float(divide([total.sum()], [count.sum()])[0]),
        np.where(count > 0, without, np.nan),
        people=int((count > 0).sum()),
        lowest=replies.lowest,
        highest=replies.highest,
        reason="" if count.any() else _said("no rated reply", replies.place),
    )
    return made.unless_it_varies(_said("scores do not vary between people", replies.place))


def _score_sums(replies: LabelledReplies) -> Floats:
    """(2, P): how many scores each person's replies have, and their sum."""
    there = ~np.isnan(replies.scores)
    persons, scores = replies.persons[there], replies.scores[there]
    counted = (np.bincount(persons, weights, replies.count) for weights in (None, scores))
    return np.stack([each.astype(np.float64) for each in counted])


def _sums(replies: LabelledReplies) -> Floats:
    """(6, P) weighted sums over labelled replies: 1, y, f, y f, f f, and how many there are. An absent score is the
    mean one, which moves nothing."""
    labelled = replies.labelled
    scores = replies.scores[labelled]
    scores = np.where(np.isnan(scores), present_mean(replies.scores), scores)
    scores = np.nan_to_num(scores)
    labels, weight = replies.labels[labelled], 1 / replies.inclusion[labelled]
    columns = (weight, weight * labels, weight * scores, weight * labels * scores, weight * scores**2, None)
    persons = replies.persons[labelled]
    return np.stack([np.bincount(persons, each, replies.count).astype(np.float64) for each in columns])


def _slope(sums: Floats, tuned: bool) -> float:
    """Of labels on scores; 0 where scores are not used, or too few labels tell."""
    weight, y, f, yf, ff, labels = sums
    if not tuned or labels < 3:
        return 0.0
    mean_y, mean_f = y / weight, f / weight
    spread = ff / weight - mean_f**2
    return float((yf / weight - mean_y * mean_f) / spread) if spread > 1e-12 else 0.0


def _estimate(sums: Floats, scores: Floats, tuned: bool) -> float:
    """The mean label, from the sums of all persons that count."""
    weight, y, f, _, _, labels = sums
    if labels < 1:
        return float("nan")
    if not tuned or scores[0] < 1:
        return float(y / weight)
    return float(y / weight + _slope(sums, tuned) * (scores[1] / scores[0] - f / weight))
