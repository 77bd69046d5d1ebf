"""How a candidate differs between two runs: in adherence, in retention, and in the area under the whole curve.

The same people, with the same replicate and planned length, stand on both sides, and are resampled together (a paired
bootstrap, clustered by person). Each interval holds by itself: of twenty true nulls one is expected to leave out 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from holdfast.core.errors import InputError
from holdfast.core.wording import how_many
from holdfast.simulator.comparing.likeness import require_alike
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.bootstrap import (
    DRAWS,
    Statistic,
    area,
    difference_interval,
    ratio,
    statistic_interval,
    too_few,
)
from holdfast.simulator.measure.estimates import Count, MeanEstimate, Number, ResultsPart
from holdfast.simulator.monitor.running_means import pattern_targets
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext, measured_candidates
from holdfast.simulator.results.felt import apart
from holdfast.simulator.runtime.recorded_run import RecordedRun, read_recorded_run

RunMetric = Literal["adherence", "retention", "area"]
Columns = tuple[Floats, Statistic]


class RunDifference(ResultsPart):
    """One candidate in one metric: the second run less the first."""

    candidate: str
    metric: RunMetric
    first: Number
    second: Number
    difference: MeanEstimate = Field(description="second - first; limits null below five people.")
    people: Count

    @property
    def untested(self) -> str:
        """``"2 people: cannot be tested"``, or empty."""
        return too_few(self.people)


class RunsCompared(ResultsPart):
    """Two runs, on the people, replicates and lengths that both have."""

    first: str
    second: str
    differences: list[RunDifference]
    notes: list[str] = Field(description="What only one of them has, and what else differs.")


def compare_runs(first: RecordedRun, second: RecordedRun, draws: int = DRAWS) -> RunsCompared:
    """Compare two runs by the candidates, people, replicates and lengths that both have.

    Raises:
        InputError: They share no candidate or no person, or their instruments differ (see
            :func:`~holdfast.simulator.comparing.likeness.require_alike`).
    """
    shared = _shared(first, second)
    specs = [each.spec for each in first.episodes if each.spec.id in shared]
    require_alike(first, second, sorted({spec.task for spec in specs}), sorted({spec.persona for spec in specs}))
    seed = first.plan.study.seed
    one_side, other_side = (_measured(run, shared, seed, draws) for run in (first, second))
    context = _context(first, seed, draws)
    return RunsCompared(
        first=str(first.out),
        second=str(second.out),
        differences=[
            difference
            for name in one_side
            for difference in _differences(name, one_side[name], other_side[name], context)
        ],
        notes=list(_notes(first, second, shared)),
    )


def compare_folders(first: Path, second: Path) -> RunsCompared:
    """Compare the runs in two folders; raises as :func:`compare_runs` and ``read_recorded_run`` do."""
    return compare_runs(read_recorded_run(first), read_recorded_run(second))


def _shared(first: RecordedRun, second: RecordedRun) -> frozenset[str]:
    """Ids of the conversations that both runs held, at least in part."""
    sides = [{each.spec.candidate for each in run.episodes} for run in (first, second)]
    if not sides[0] & sides[1]:
        names = "; ".join(
            f"{run.out}: {', '.join(sorted(side)) or 'none'}" for run, side in zip((first, second), sides, strict=True)
        )
        raise InputError(f"no candidate is in both runs ({names}); give what is to be compared the same 'name' in both")
    ids = [frozenset(each.spec.id for each in run.episodes if each.turns) for run in (first, second)]
    if not ids[0] & ids[1]:
        raise InputError(
            f"{first.out} and {second.out} share candidates, and no person with the same replicate and number of turns "
            "met one of them in both; hold both with the same personas, replicates and turns"
        )
    return ids[0] & ids[1]


def _context(run: RecordedRun, seed: int, draws: int) -> ResultsContext:
    target_of = pattern_targets(run.plan.tasks, run.plan.patterns, run.raters[0].scale)
    raters, feelers, own = apart(run.raters)
    return ResultsContext(target_of, raters, run.plan.personas, frozenset(), seed, draws, own, feelers)


def _measured(run: RecordedRun, shared: frozenset[str], seed: int, draws: int) -> dict[str, MeasuredCandidate]:
    episodes = [episode for episode in run.episodes if episode.spec.id in shared]
    return measured_candidates(episodes, _context(run, seed, draws))


def _columns(measured: MeasuredCandidate) -> dict[RunMetric, Columns]:
    """What each metric is made of: means over conversations (conversations x columns), and the figure of them."""
    quarters = np.stack([measured.last_quarter, measured.first_quarter], axis=1)
    return {
        "adherence": (measured.adherence_mean[:, None], _only),
        "retention": (quarters, ratio),
        "area": (measured.adherence, area),
    }


def _only(means: Floats) -> Floats:
    return means[:, 0]


def _differences(
    name: str, first: MeasuredCandidate, second: MeasuredCandidate, context: ResultsContext
) -> Iterator[RunDifference]:
    """Rows of both are the same users in the same order: their ids are, and ids order them."""
    resamples = context.resamples(first.arrays.groups, "compare")
    for metric, (before, statistic) in _columns(first).items():
        after, _ = _columns(second)[metric]
        missing = np.isnan(before) | np.isnan(after)
        sides = [np.where(missing, np.nan, side) for side in (before, after)]
        means = [statistic_interval(side, resamples, statistic).mean for side in sides]
        absent = np.all(missing, axis=1).tolist()
        people = {group for group, gone in zip(first.arrays.groups, absent, strict=True) if not gone}
        yield RunDifference(
            candidate=name,
            metric=metric,
            first=means[0],
            second=means[1],
            difference=MeanEstimate.model_validate(difference_interval(sides[1], sides[0], resamples, statistic)),
            people=len(people),
        )


def _notes(first: RecordedRun, second: RecordedRun, shared: frozenset[str]) -> Iterator[str]:
    for run in (first, second):
        others = sorted({each.spec.candidate for each in run.episodes if each.spec.id not in shared})
        left = sum(each.spec.id not in shared for each in run.episodes)
        if left:
            yield f"{how_many(left, 'conversation')} only in {run.out} ({', '.join(others)}): left out"
        if waiting := sum(each.unfinished for each in run.episodes):
            yield f"{run.out}: {how_many(waiting, 'conversation')} not over yet, measured up to where they are"
    seeds = [run.plan.study.seed for run in (first, second)]
    if seeds[0] != seeds[1]:
        yield f"the runs have other seeds ({seeds[0]}, {seeds[1]}): the same people drew other random numbers"
