"""How many labels an interval needs, before anybody labels: from the rater's own scores of the run.

Adherence by the primary rater stands in for what people would say, as to how much persons and replies differ; how well
both go together is measured where labels are there, and assumed where not. With P persons, n labels of a candidate
spread over them, and N replies, the variance of its mean is about between / P + within ((1 - r^2) / n + r^2 / N), by
labels and rater, and r = 0 by labels only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.agents.raters.protocol import EXPRESSED
from holdfast.core.errors import InputError
from holdfast.simulator.labelling.store import LabelFolder, combined, last_answers
from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.bootstrap import Resamples, mean_interval

ASSUMED_R = 0.5  # of labels and rater where nothing is known; holdfast's assumption
COUNTS = (20, 50, 100, 200, 400, 800)  # labels of a candidate


@dataclass(frozen=True, slots=True)
class PlannedLabels:
    """Expected half widths with so many ``labels`` altogether."""

    labels: int
    labels_only: float
    with_rater: float


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """What labels would buy in a run."""

    persons: int
    replies: int
    candidates: tuple[str, ...]
    rater: str
    correlation: float
    correlation_from: str
    rater_mean: float
    rater_lo: float
    rater_hi: float
    rows: tuple[PlannedLabels, ...]

    @property
    def as_dict(self) -> dict[str, Any]:
        """As JSON has it: what is undefined is None."""
        plan: dict[str, Any] = json.loads(json.dumps(asdict(self)), parse_constant=lambda _: None)
        return plan


def plan_labels(run: Path) -> LabelPlan:
    """Plan labels for the run in ``run``.

    Raises:
        InputError, JournalError: It holds no results or no journal, or nothing in it is rated.
    """
    from holdfast.simulator.journal.store import JOURNAL, Journal
    from holdfast.simulator.results.store import read_results

    results = read_results(run)
    widths = {name: results.candidates[name] for name in results.candidates}
    primary = next(rater for rater in results.raters if rater.role == "primary")
    if primary.scale.id != EXPRESSED.id:
        raise InputError(
            f"{run}: its curves are on the scale {primary.scale.id}, labels on expressed empathy or one overall "
            "score: nothing can be planned from the rater; draw a sample and label it"
        )
    targets = {task: results.patterns[info.pattern].target for task, info in results.tasks.items()}
    with Journal.read(run / JOURNAL) as journal:
        rows = [
            (episode.spec.candidate, episode.spec.persona, (episode.spec.id, turn.turn), score)
            for episode in journal.episodes(measured=True)
            for turn in episode.turns
            if not np.isnan(score := _near(turn.primary.values, targets[episode.spec.task], primary.scale.width))
        ]
    if not rows:
        raise InputError(f"{run}: no reply is rated, so nothing can be planned from the rater; label some first")
    scores = np.array([row[-1] for row in rows])
    names, persons = np.unique([row[1] for row in rows], return_inverse=True)
    r, source = _correlation(run, rows)
    between, within = _components(scores, persons.astype(np.int64))
    replies = len(rows) / len(widths)
    interval = mean_interval(scores, Resamples.of([row[1] for row in rows], np.random.default_rng(0)))
    planned = [
        PlannedLabels(
            int(count * len(widths)),
            _half(len(names), between + within * len(names) / count),
            _half(len(names), between + within * len(names) * ((1 - r * r) / count + r * r / replies)),
        )
        for count in COUNTS
        if count <= replies
    ]
    return LabelPlan(
        persons=len(names),
        replies=len(rows),
        candidates=tuple(widths),
        rater=primary.name,
        correlation=r,
        correlation_from=source,
        rater_mean=interval.mean,
        rater_lo=interval.lo,
        rater_hi=interval.hi,
        rows=tuple(planned),
    )


def _near(values: Any, target: Any, width: float) -> float:
    return 1 - float(np.mean([abs(values.get(name, np.nan) - target[name]) for name in EXPRESSED.dimensions])) / width


def _components(scores: Floats, persons: Ints) -> tuple[float, float]:
    """Variance between persons and within them, one-way random effects."""
    groups = [scores[persons == person] for person in np.unique(persons)]
    within = float(np.mean([group.var(ddof=1) for group in groups if len(group) > 1] or [scores.var()]))
    size = len(scores) / len(groups)
    means = np.array([group.mean() for group in groups])
    between = float(means.var(ddof=1)) - within / size if len(groups) > 1 else 0.0
    return max(0.0, between), within


def _half(persons: int, variance: float) -> float:
    """Half width of a 95 % interval of a mean over ``persons``, of which each has this variance."""
    from scipy.special import stdtrit  # here, so that importing this module stays instant

    if persons < 2:
        return float("inf")
    return float(-stdtrit(persons - 1, 0.025) * np.sqrt(variance / persons))


def _correlation(run: Path, rows: Sequence[tuple[str, str, tuple[str, int], float]]) -> tuple[float, str]:
    """How labels and the rater's adherence go together, and from where that is known."""
    folder = LabelFolder(run)
    sample = folder.sample()
    labels = combined(last_answers(folder).values()) if sample is not None else {}
    if sample is None or sample.scale != "expressed" or len(labels) < COUNTS[0]:
        return ASSUMED_R, "an assumption; label 20 replies and it is measured"
    both = [(score, float(np.mean([*labels[reply].values()]))) for *_, reply, score in rows if reply in labels]
    scores, levels = ([pair[side] for pair in both] for side in (0, 1))
    r = float(np.corrcoef(scores, levels)[0, 1]) if len(both) > 2 else np.nan
    return (abs(r), f"measured on {len(both)} labels") if np.isfinite(r) else (ASSUMED_R, "an assumption")
