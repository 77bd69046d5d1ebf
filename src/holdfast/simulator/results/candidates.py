"""What results.json says about one candidate."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.agents.protocols import SENSE7
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import MECHANISMS
from holdfast.simulator.results.holding import holding
from holdfast.simulator.measure.adherence import adherence, first_turns, mechanism_error, targets
from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.measure.bootstrap import Interval, Resamples, mean_band, mean_interval, ratio_interval
from holdfast.simulator.measure.decay.exponential import fit_decay
from holdfast.simulator.measure.extract import EpisodeArrays
from holdfast.simulator.measure.gap import gap, gap_reduction, perceived, score_factor
from holdfast.simulator.measure.text.naming import KINDS, naming
from holdfast.simulator.measure.pairwise import align
from holdfast.simulator.measure.decay.retention import quarter_means
from holdfast.simulator.measure.decay.slope import slope
from holdfast.simulator.measure.decay.survival import Survival, first_violations, kaplan_meier
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.shapes import as_dict, by_turn, survival_rows


@dataclass(frozen=True, slots=True)
class ResultsContext:
    """What all candidates of a study share."""

    target_of_task: Mapping[str, tuple[float, float, float]]
    feelings: Collection[str]
    rng_seed: int
    draws: int

    def resamples(self, groups: Sequence[str], *purpose: object) -> Resamples:
        """Candidates that met the same personas get the same resamples."""
        return Resamples.of(groups, self.rng(*purpose), self.draws)

    def rng(self, *purpose: object) -> np.random.Generator:
        """A generator of its own for each purpose."""
        return np.random.default_rng(derive_seed(self.rng_seed, *purpose))


@dataclass(frozen=True, slots=True)
class MeasuredCandidate:
    """One candidate's episodes, and what each amounts to (arrays of one value per episode)."""

    arrays: EpisodeArrays
    target: Floats  # episodes x 1 x 3
    adherence: Floats  # episodes x turns
    adherence_mean: Floats
    first_quarter: Floats
    last_quarter: Floats
    perceived: Floats
    gap: Floats

    @classmethod
    def of(cls, arrays: EpisodeArrays, context: ResultsContext) -> MeasuredCandidate:
        target = targets(arrays.tasks, context.target_of_task)
        held = adherence(arrays.expressed, target)
        first, last = quarter_means(held, arrays.planned)
        felt, missed = perceived(arrays.felt), gap(arrays.desired, arrays.felt)
        return cls(arrays, target, held, present_mean(held, axis=1), first, last, felt, missed)


def candidate_results(
    measured: MeasuredCandidate, episodes: Sequence[EpisodeRecord], baseline: MeasuredCandidate | None, context: ResultsContext
) -> dict[str, Any]:
    """The candidate's part of results.json, nan where undefined. ``episodes``: its own, in any order."""
    arrays = measured.arrays
    resamples = context.resamples(arrays.groups, "episodes")
    band = mean_band(measured.adherence, resamples)
    decay = fit_decay(band.mean, band.n)
    held = kaplan_meier(*first_violations(measured.adherence))
    ordered = sorted(episodes, key=lambda episode: episode.spec.id)
    results = {
        "episodes": len(arrays.ids),
        "failed": arrays.failed,
        "adherence": as_dict(mean_interval(measured.adherence_mean, resamples)),
        "adherence_by_turn": by_turn(band),
        "mechanism_by_turn": _by_mechanism(arrays.expressed, resamples),
        "mechanism_error_by_turn": _by_mechanism(mechanism_error(arrays.expressed, measured.target), resamples),
        "adherence_first_two_turns": as_dict(mean_interval(first_turns(measured.adherence), resamples)),
        "adherence_last_quarter": as_dict(mean_interval(measured.last_quarter, resamples)),
        "retention": as_dict(ratio_interval(measured.last_quarter, measured.first_quarter, resamples)),
        "slope_per_turn": as_dict(slope(measured.adherence, resamples)),
        "half_life_turns": decay.half_life_turns,
        "half_life_note": decay.note,
        "first_violation_median_turn": held.median,
        "survival": survival_rows(held),
        "gap_abs": as_dict(mean_interval(np.abs(measured.gap), resamples)),
        **_against(measured, baseline, context),
        "naming": _naming(ordered, resamples, context),
        "felt_by_dimension": {
            name: as_dict(mean_interval(present_mean(arrays.felt[:, :, index], axis=1), resamples))
            for index, name in enumerate(SENSE7)
        },
        "by_task": _by_task(measured, context),
        "holding": holding(
            measured.adherence,
            measured.last_quarter - measured.first_quarter,
            arrays.expressed,
            ordered,
            fit=decay,
            resamples=resamples,
            rng=context.rng,
        ),
    }
    return {**results, "notes": _notes(results, held, len(set(arrays.groups)), baseline is not None)}


def _by_mechanism(values: Floats, resamples: Resamples) -> dict[str, list[dict[str, float]]]:
    return {name: by_turn(mean_band(values[:, :, index], resamples)) for index, name in enumerate(MECHANISMS)}


def _against(measured: MeasuredCandidate, baseline: MeasuredCandidate | None, context: ResultsContext) -> dict[str, dict[str, float]]:
    """Figures that compare with the baseline, over the users that both met."""
    if baseline is None:
        undefined = as_dict(Interval(math.nan, math.nan, math.nan, 0))
        return {"gap_reduction": undefined, "score_factor": undefined}
    own, theirs = align(measured.arrays.user_keys, baseline.arrays.user_keys)
    resamples = context.resamples([measured.arrays.groups[row] for row in own], "baseline")
    return {
        "gap_reduction": as_dict(gap_reduction(measured.gap[own], baseline.gap[theirs], resamples)),
        "score_factor": as_dict(score_factor(measured.adherence_mean[own], baseline.adherence_mean[theirs], resamples)),
    }


def _naming(episodes: Sequence[EpisodeRecord], resamples: Resamples, context: ResultsContext) -> dict[str, Any]:
    asking = {task for task, target in context.target_of_task.items() if max(target) > 0}
    found = naming(episodes, asking, context.feelings)
    shares = {kind: as_dict(found.share(kind, resamples)) for kind in KINDS}
    return {**shares["either"], "feeling": shares["feeling"], "topic": shares["topic"]}


def _by_task(measured: MeasuredCandidate, context: ResultsContext) -> dict[str, dict[str, Any]]:
    arrays = measured.arrays
    tasks = np.array(arrays.tasks)
    results = {}
    for task in sorted(set(arrays.tasks)):
        rows = np.flatnonzero(tasks == task)
        resamples = context.resamples([arrays.groups[row] for row in rows], "task", task)
        columns = {
            "perceived": measured.perceived,
            "gap": measured.gap,
            "gap_abs": np.abs(measured.gap),
            "adherence": measured.adherence_mean,
        }
        figures = {name: as_dict(mean_interval(values[rows], resamples)) for name, values in columns.items()}
        results[task] = {"n": len(rows), "desired": float(present_mean(arrays.desired[rows])), **figures}
    return results


def _notes(results: Mapping[str, Any], held: Survival, personas: int, has_baseline: bool) -> dict[str, str]:
    """Why a figure is undefined, by its name."""
    notes = {}
    if personas < 2:
        notes["intervals"] = f"no intervals: they resample personas, and there is {personas}; at least 2 are needed"
    if math.isnan(results["retention"]["mean"]):
        reached = results["adherence_last_quarter"]["n"]
        why = "the first quarter's adherence is 0" if reached else "no conversation reached the last quarter"
        notes["retention"] = f"undefined: {why}"
    if math.isnan(results["half_life_turns"]):
        notes["half_life_turns"] = results["half_life_note"]
    if math.isnan(held.median):
        last = f"{held.share[-1]:.0%} still held at turn {held.turn[-1]}" if len(held.turn) else "no turns to judge"
        notes["first_violation_median_turn"] = f"never falls to half: {last}" if len(held.turn) else last
    if held.dropped:
        notes["survival"] = f"{held.dropped} conversations too short to judge were left out"
    for name in ("gap_reduction", "score_factor"):
        if math.isnan(results[name]["mean"]):
            why = "the baseline's mean is 0, or no user met both" if has_baseline else "the study has no baseline"
            notes[name] = f"undefined: {why}"
    if math.isnan(results["naming"]["mean"]):
        notes["naming"] = "undefined: no turn in which a user named something and the pattern asks for empathy"
    return notes
