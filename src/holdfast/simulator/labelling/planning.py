"""How many labels an interval needs, before anybody labels: from the rater's own scores of the run.

What is planned is the sample that would be drawn (``sample``): its strata, and so many replies of each. Adherence by
the primary rater stands in for what people would say, as to how much persons and replies differ; how well both go
together is measured where labels are there, and assumed where not. With a share T of replies that the gate lets
through, N of them, of which n_s of N_s are drawn in stratum s with the spread S_s of its scores, the variance of a
candidate's mean is about::

    V + T^2 (1 - r^2) sum of (N_s / N)^2 S_s^2 (1 / n_s - 1 / N_s)

V is what it would be if all replies were labelled, stopped ones being 0, clustered by person (``clustered``); the rest
comes of labelling some (two-phase sampling: Cochran, Sampling Techniques, 1977, ch. 12). By labels only, r = 0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.agents.raters.adherence import adherence_of
from holdfast.agents.raters.protocol import EXPRESSED, Rating
from holdfast.core.errors import InputError
from holdfast.simulator.labelling.sample import Reply, allocated, draw_order, is_stopped, stopped_replies
from holdfast.simulator.labelling.session import only_of
from holdfast.simulator.labelling.store import LabelFolder, combined, last_answers
from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.bootstrap import Interval, Resamples, mean_interval
from holdfast.simulator.measure.clustered import ClusteredMean
from holdfast.simulator.measure.jackknifed import student
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.model import Results

ASSUMED_R = 0.5  # of labels and rater where nothing is known; holdfast's assumption
COUNTS = (20, 50, 100, 200, 400, 800)  # labels of a candidate


@dataclass(frozen=True, slots=True)
class PlannedLabels:
    """Expected half widths with so many ``labels`` altogether; the mean over candidates."""

    labels: int
    labels_only: float
    with_rater: float


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """What labels would buy in a run. ``replies`` may be drawn; ``stopped`` ones adhere 0, and need no label."""

    persons: int
    replies: int
    stopped: int
    candidates: tuple[str, ...]
    rater: str
    correlation: float
    correlation_from: str
    rater_alone: Interval
    rows: tuple[PlannedLabels, ...]

    @property
    def as_dict(self) -> dict[str, Any]:
        """As JSON has it: what is undefined is None."""
        plan: dict[str, Any] = json.loads(json.dumps(asdict(self)), parse_constant=lambda _: None)
        return plan


@dataclass(frozen=True, slots=True)
class RatedReplies:
    """One candidate's R rated replies.

    Attributes:
        scores: (R,) adherence by the rater; 0 where the gate stops the reply.
        persons: (R,) whom each was given to, as codes.
        strata: (R,) of which stratum each may be drawn, as codes; -1 where it is stopped.
    """

    scores: Floats
    persons: Ints
    strata: Ints

    def half_widths(self, drawn: Sequence[int], r: float) -> tuple[float, float]:
        """Return the expected half width by labels only, and with a rater that goes with them by ``r``.

        ``drawn``: how many of each stratum, by code. nan where nothing is let through.
        """
        heard = self.strata >= 0
        sizes = np.bincount(self.strata[heard], minlength=len(drawn)).astype(np.float64)
        chosen = np.minimum(np.asarray(drawn, dtype=np.float64), sizes)
        there = sizes > 0
        spread = np.array([self._spread(heard & (self.strata == code)) for code in range(len(drawn))])
        weights = sizes / len(self.scores)  # T N_s / N
        some = float((weights[there] ** 2 * spread[there] * (1 / chosen[there] - 1 / sizes[there])).sum())
        every = ClusteredMean.of(self.scores, self.persons).error ** 2
        share = np.where(there, chosen / np.maximum(sizes, 1), 0.0)
        missed = np.where(heard, 1 - share[self.strata], 1.0)
        people = [1 - missed[heard & (self.persons == person)].prod() for person in np.unique(self.persons[heard])]
        by_labels = student(round(sum(people))) * math.sqrt(every + some)
        return by_labels, student(len(people)) * math.sqrt(every + (1 - r * r) * some)

    def _spread(self, where: np.ndarray) -> float:
        """Variance of the scores of a stratum; of all that is let through where it is one reply."""
        scores = self.scores[where] if where.sum() > 1 else self.scores[self.strata >= 0]
        return float(scores.var(ddof=1)) if len(scores) > 1 else 0.0


def plan_labels(run: Path, candidates: Sequence[str] = ()) -> LabelPlan:
    """Plan labels for the run in ``run``, of ``candidates`` only where some are named.

    Raises:
        InputError, JournalError: It holds no results or no journal, nothing in it is rated, or a candidate is unknown.
    """
    from holdfast.simulator.journal.store import JOURNAL, Journal
    from holdfast.simulator.results.store import read_results

    results = read_results(run)
    primary = next(rater for rater in results.raters if rater.role == "primary")
    if primary.scale.id != EXPRESSED.id:
        raise InputError(
            f"{run}: its curves are on the scale {primary.scale.id}, labels on expressed empathy or one overall "
            "score: nothing can be planned from the rater; draw a sample and label it"
        )
    with Journal.read(run / JOURNAL) as journal:
        episodes = only_of(candidates, journal.episodes(measured=True))
    known = {(episode.spec.id, turn): score for episode, turn, score in _scored(episodes, results)}
    strata = draw_order(episodes, 0)
    if not known or not strata:
        raise InputError(
            f"{run}: no reply that the gate lets through is rated, so nothing can be planned from the rater; label "
            "some first"
        )
    groups = {episode.spec.id: episode.spec.persona for episode in episodes}
    names = sorted({episode.spec.candidate for episode in episodes})
    r, source = _correlation(run, episodes, results, known)
    scores, people = np.array([*known.values()]), [groups[id] for id, _ in known]
    replies = sum(map(len, strata.values()))
    return LabelPlan(
        persons=len(set(people)),
        replies=replies,
        stopped=len(stopped_replies(episodes)),
        candidates=tuple(names),
        rater=primary.name,
        correlation=r,
        correlation_from=source,
        rater_alone=mean_interval(scores, Resamples.of(people, np.random.default_rng(0))),
        rows=tuple(_rows(_rated(episodes, known, strata), strata, len(names), r)),
    )


def _rows(
    rated: Sequence[RatedReplies], strata: Mapping[str, Sequence[Reply]], names: int, r: float
) -> Iterator[PlannedLabels]:
    most = sum(map(len, strata.values()))
    for count in COUNTS:
        if len(strata) <= count * names <= most:
            sizes = allocated(strata, count * names)
            halves = np.array([each.half_widths([sizes[name] for name in strata], r) for each in rated])
            yield PlannedLabels(count * names, *halves.mean(axis=0).tolist())


def _rated(
    episodes: Sequence[EpisodeRecord], known: Mapping[Reply, float], strata: Mapping[str, Sequence[Reply]]
) -> list[RatedReplies]:
    """The rated replies of each candidate of whom something is let through."""
    stratum = {reply: code for code, replies in enumerate(strata.values()) for reply in replies}
    codes = {name: code for code, name in enumerate(sorted({episode.spec.persona for episode in episodes}))}
    parts: dict[str, list[tuple[float, int, int]]] = {}
    for episode in episodes:
        for turn in episode.turns:
            reply = (episode.spec.id, turn.turn)
            if reply in known:
                row = (known[reply], codes[episode.spec.persona], stratum.get(reply, -1))
                parts.setdefault(episode.spec.candidate, []).append(row)
    made = []
    for rows in parts.values():
        scores, persons, where = zip(*rows, strict=True)
        if max(where) >= 0:
            made.append(RatedReplies(np.array(scores), np.array(persons), np.array(where)))
    return made


def _scored(episodes: Sequence[EpisodeRecord], results: Results) -> Iterator[tuple[EpisodeRecord, int, float]]:
    """(episode, turn, adherence by the primary rater) of each reply that it rated, or that the gate stopped: 0."""
    targets = _targets(results)
    for episode in episodes:
        for turn in episode.turns:
            score = _near(turn.primary, targets[episode.spec.task])
            if not np.isnan(score):
                yield episode, turn.turn, score


def _targets(results: Results) -> dict[str, Any]:
    return {task: results.patterns[info.pattern].target for task, info in results.tasks.items()}


def _near(rating: Rating, target: Mapping[str, float]) -> float:
    return float(adherence_of([rating], [target[name] for name in EXPRESSED.dimensions], EXPRESSED)[0])


def _correlation(
    run: Path, episodes: Sequence[EpisodeRecord], results: Results, known: Mapping[Reply, float]
) -> tuple[float, str]:
    """How adherence by labels and by the rater go together on what the gate lets through, and whence that is known."""
    folder = LabelFolder(run)
    sample = folder.sample()
    labels = combined(last_answers(folder).values()) if sample is not None else {}
    if sample is None or sample.scale != "expressed" or len(labels) < COUNTS[0]:
        return ASSUMED_R, "an assumption; label 20 replies and it is measured"
    targets = _targets(results)
    both = [
        (known[reply], _near(Rating(labels[reply]), targets[episode.spec.task]))
        for episode in episodes
        for turn in episode.turns
        if (reply := (episode.spec.id, turn.turn)) in known.keys() & labels.keys() and not is_stopped(turn)
    ]
    vary = len(both) > 2 and min(np.ptp(side) for side in zip(*both, strict=True)) > 0
    r = float(np.corrcoef(np.array(both).T)[0, 1]) if vary else np.nan
    return (abs(r), f"measured on {len(both)} labels") if np.isfinite(r) else (ASSUMED_R, "an assumption")
