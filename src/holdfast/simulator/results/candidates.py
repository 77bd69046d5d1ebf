"""From one candidate's episodes to its part of the results."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from holdfast.agents.assistants.specs import CandidateSpec
from holdfast.agents.protocols import SENSE7
from holdfast.core.wording import how_many
from holdfast.simulator.config.reminders import hidden_period
from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.measure.bootstrap import FEWEST, Resamples, area, mean_band, statistic_interval, too_few
from holdfast.simulator.measure.decay.holds import HoldsResults
from holdfast.simulator.measure.decay.retention import first_turns
from holdfast.simulator.measure.decay.slope import episode_slopes
from holdfast.simulator.measure.decay.survival import Survival, SurvivalPoint, first_violations, kaplan_meier
from holdfast.simulator.measure.estimates import Curve, MeanEstimate, curve, estimate
from holdfast.simulator.measure.gap import ITSELF, gap_reduction, score_factor
from holdfast.simulator.measure.goals import goals_known, served_in_the_end, served_share, service_by_goal
from holdfast.simulator.measure.pairwise import align
from holdfast.simulator.measure.text.naming import naming
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.candidate_model import CandidateResults, GoalResults, NamingResults, TaskResults
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext
from holdfast.simulator.results.holding import holding
from holdfast.simulator.results.outcomes import outcomes_of
from holdfast.simulator.results.stopped import bounds_of, stopped_of
from holdfast.simulator.results.witnesses import witness_results


def candidate_results(
    spec: CandidateSpec,
    measured: MeasuredCandidate,
    baseline: MeasuredCandidate | None,
    context: ResultsContext,
    verdict: HoldsResults,
) -> CandidateResults:
    """Measure one candidate, beside the ``baseline`` where the study has one. ``verdict``: whether it holds."""
    arrays, near, episodes = measured.arrays, measured.adherence, measured.arrays.episodes
    resamples = context.resamples(arrays.groups, "episodes")
    mean, dimensions = partial(estimate, resamples=resamples), context.primary.scale.dimensions
    band = mean_band(near, resamples)
    survival = kaplan_meier(*first_violations(near), people=len(set(arrays.groups)))
    gap_reduced, factor = _against(measured, baseline, context)
    kept = holding(measured, band, resamples, context, verdict)
    results = CandidateResults(
        kind=spec.kind,
        title=spec.in_words,
        trained=spec.trained,
        episodes=len(episodes),
        failed=arrays.failed,
        people=len(set(arrays.groups)),
        adherence=mean(measured.adherence_mean),
        adherence_by_turn=curve(band),
        area=MeanEstimate.model_validate(statistic_interval(near, resamples, area)),
        mechanism_by_turn=_by_dimension(arrays.levels, dimensions, resamples),
        mechanism_error_by_turn=_by_dimension(np.abs(arrays.levels - measured.target), dimensions, resamples),
        adherence_first_two_turns=mean(first_turns(near)),
        adherence_last_quarter=mean(measured.last_quarter),
        retention=measured.retention(resamples),
        slope_per_turn=mean(episode_slopes(near)),
        half_life_turns=kept.exponential.half_life.mean,
        half_life_note=kept.exponential.note,
        first_violation_median_turn=survival.median,
        survival=SurvivalPoint.rows_of(survival),
        gap_abs=mean(np.abs(measured.gap)),
        gap_reduction=gap_reduced,
        score_factor=factor,
        naming=_naming(episodes, resamples, context),
        felt_by_dimension={
            name: mean(present_mean(arrays.felt[:, :, index], axis=1))
            for index, name in enumerate(SENSE7 if context.feeler == "formula" else ())
        },
        by_task=_by_task(measured, context),
        goals=_goals(episodes, arrays.turns, resamples, context),
        **stopped_of([turn for episode in episodes for turn in episode.turns], arrays.turns),
        bounds=bounds_of(measured, resamples),
        **outcomes_of([turn for episode in episodes for turn in episode.turns]),
        witnesses={rater.name: witness_results(rater, measured, context, resamples) for rater in context.witnesses},
        holding=kept,
        notes={},
    )
    notes = _notes(results, survival, baseline is not None)
    if hidden := hidden_period(spec, sorted(set(arrays.planned.tolist()))):
        notes["reminders"] = hidden
    return results.model_copy(update={"notes": notes})


def _by_dimension(values: Floats, dimensions: Sequence[str], resamples: Resamples) -> dict[str, Curve]:
    return {name: curve(mean_band(values[:, :, index], resamples)) for index, name in enumerate(dimensions)}


def _against(
    measured: MeasuredCandidate, baseline: MeasuredCandidate | None, context: ResultsContext
) -> tuple[MeanEstimate, MeanEstimate]:
    """Gap reduction and score factor: compared with the baseline, over the users that both met."""
    if baseline is None:
        return MeanEstimate.undefined(n=0), MeanEstimate.undefined(n=0)
    own, theirs = align(measured.arrays.user_keys, baseline.arrays.user_keys)
    resamples = context.resamples([measured.arrays.groups[row] for row in own], "baseline")
    reduction = gap_reduction(measured.gap[own], baseline.gap[theirs], resamples)
    factor = score_factor(measured.adherence_mean[own], baseline.adherence_mean[theirs], resamples)
    figures = MeanEstimate.model_validate(reduction), MeanEstimate.model_validate(factor)
    return figures if baseline is not measured else (figures[0].exactly(ITSELF), figures[1].exactly(ITSELF))


def _goals(
    episodes: Sequence[EpisodeRecord], turns: int, resamples: Resamples, context: ResultsContext
) -> GoalResults | None:
    if not goals_known(episodes):
        return None
    share = served_share(episodes, context.goals, turns)
    end = served_in_the_end(share, [episode.spec.max_turns for episode in episodes])
    return GoalResults(
        served=estimate(end, resamples),
        served_by_turn=curve(mean_band(share, resamples)),
        by_goal=service_by_goal(episodes, context.goals),
    )


def _naming(episodes: Sequence[EpisodeRecord], resamples: Resamples, context: ResultsContext) -> NamingResults:
    asking = {task for task, target in context.target_of_task.items() if max(target) > context.primary.scale.low}
    counts = naming(episodes, asking, context.feelings)
    either, feeling, topic = (
        MeanEstimate.model_validate(counts.share(kind, resamples)) for kind in ("either", "feeling", "topic")
    )
    return NamingResults(**either.model_dump(), feeling=feeling, topic=topic)


def _by_task(measured: MeasuredCandidate, context: ResultsContext) -> dict[str, TaskResults]:
    arrays = measured.arrays
    tasks = np.array(arrays.tasks)
    results = {}
    for task in sorted(set(arrays.tasks)):
        rows = np.flatnonzero(tasks == task)
        resamples = context.resamples([arrays.groups[row] for row in rows], "task", task)
        results[task] = TaskResults(
            n=len(rows),
            desired=float(present_mean(arrays.desired[rows])),
            perceived=estimate(measured.perceived[rows], resamples),
            gap=estimate(measured.gap[rows], resamples),
            gap_abs=estimate(np.abs(measured.gap[rows]), resamples),
            adherence=estimate(measured.adherence_mean[rows], resamples),
        )
    return results


def _notes(results: CandidateResults, survival: Survival, has_baseline: bool) -> dict[str, str]:
    """Say why a figure is undefined, by its name."""
    notes = {}
    if few := too_few(results.people):
        notes["intervals"] = f"no interval and no verdict: {few}; at least {FEWEST} people are needed"
    if results.retention.mean is None:
        reached = results.adherence_last_quarter.n
        why = "the first quarter's adherence is 0" if reached else "no reply in the last quarter could be rated"
        if not (reached or results.unrated):
            why = "no conversation reached the last quarter"
        notes["retention"] = f"undefined: {why}"
    if results.half_life_turns is None:
        notes["half_life_turns"] = results.half_life_note
    if results.first_violation_median_turn is None:
        last = "no turns to judge"
        if results.survival:
            point = results.survival[-1]
            last = f"never falls to half: {point.share:.0%} unbroken at turn {point.turn}"
        notes["first_violation_median_turn"] = last
    if survival.dropped:
        short = "too short to judge"
        counted = how_many(survival.dropped, f"conversation {short} was", f"conversations {short} were")
        notes["survival"] = f"{counted} left out"
    for name, figure in (("gap_reduction", results.gap_reduction), ("score_factor", results.score_factor)):
        if figure.mean is None:
            why = "the baseline's mean is 0, or no user met both" if has_baseline else "the study has no baseline"
            notes[name] = f"undefined: {why}"
    if results.unrated:
        notes["unrated"] = "; ".join(
            f"{how_many(n, 'reply was', 'replies were')} not rated: {why}" for why, n in results.unrated.items()
        )
    if results.goals is None:
        notes["goals"] = "undefined: no message says which goal it is about"
    if results.naming.mean is None:
        notes["naming"] = "undefined: no turn in which a user named something and the pattern asks for empathy"
    return notes
