"""Tallies -> :class:`LogResults`: what ``holdfast measure`` says."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from holdfast.agents.raters.gate.rater import GATE_VERSION, GatedRater
from holdfast.agents.raters.protocol import Identified
from holdfast.core.seeds import derive_seed
from holdfast.simulator.logs.differences import group_differences
from holdfast.simulator.logs.model import (
    ConversationFall,
    ExitResults,
    GroupResults,
    LabelResults,
    LogBounds,
    LogFile,
    LogPattern,
    LogResults,
    LogWitness,
    MeasureResults,
    SkippedResults,
    SkipReason,
    ViolationResults,
    leading_measure,
)
from holdfast.simulator.logs.notes import notes_of
from holdfast.simulator.logs.parts import BOUNDS
from holdfast.simulator.logs.records import End
from holdfast.simulator.logs.stored_scores import StoredScores
from holdfast.simulator.logs.sums import CURVE_TURNS, LENGTH, SCALARS, GroupSums, MeasureSums, count_people
from holdfast.simulator.logs.tallies import OTHERS, Legible, Tallies
from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.bootstrap import DRAWS, Interval, draw_weights
from holdfast.simulator.measure.decay.leaving import IncidencePoint, cumulative_incidence
from holdfast.simulator.measure.decay.survival import SurvivalPoint, kaplan_meier
from holdfast.simulator.measure.estimates import MeanEstimate, curve
from holdfast.simulator.measure.sums import correlation, slope_given, slope_within, sums_band, sums_ratio
from holdfast.simulator.results.model import installed_version, rater_infos

ENDS: tuple[End, ...] = ("failure", "success")
_CAUSE: dict[End, int] = {"": 0, "failure": 1, "success": 2}


def log_results(
    tallies: Tallies,
    *,
    files: Sequence[LogFile],
    by: Sequence[str],
    pattern: LogPattern | None,
    raters: Mapping[str, Identified],
    seed: int = 0,
    draws: int = DRAWS,
) -> LogResults:
    """Everything that was measured. The same tallies, seed and draws give the same numbers."""
    primary, *witnesses = rater_infos(raters)
    names = sorted(tallies.groups, key=lambda name: (name == OTHERS, name))
    main = leading_measure(tallies.groups.values())
    clusters = [group.clusters for group in tallies.groups.values()]
    return LogResults(
        holdfast_version=installed_version(),
        files=list(files),
        by=list(by),
        conversations=sum(group.conversations for group in tallies.groups.values()),
        turns=sum(group.turns for group in tallies.groups.values()),
        people=count_people(clusters),
        unnamed=sum(each.unnamed for each in clusters),
        longest=max((group.longest for group in tallies.groups.values()), default=0),
        rated_replies=tallies.rated,
        unrated_replies=dict(tallies.unrated),
        disqualified_replies=dict(tallies.disqualified.most_common()),
        openings=tallies.openings,
        replies_with_thoughts=tallies.thoughts,
        repeated_ids=tallies.namesakes.count,
        known_words=_known_words(tallies.legible.values()),
        skipped=skipped_results(tallies),
        rater=primary,
        scores_read={name: rater.file for name, rater in raters.items() if isinstance(rater, StoredScores)},
        gate=GATE_VERSION if any(isinstance(rater, GatedRater) for rater in raters.values()) else None,
        witnesses={
            info.name: LogWitness(rater=info, unrated=dict(tallies.unrated_by.get(info.name, {}))) for info in witnesses
        },
        pattern=pattern,
        seed=seed,
        draws=draws,
        groups={name: _group(tallies.groups[name], name, seed, draws, _unrated(tallies, name)) for name in names},
        differences=group_differences(tallies.groups, main, seed=seed, draws=draws),
        falls=[ConversationFall.model_validate(fall) for fall in tallies.falls.get(main, ())],
        notes=list(notes_of(tallies, by)),
    )


def skipped_results(tallies: Tallies) -> SkippedResults:
    """What could not be used, by reason, the most frequent first, each with its first places."""
    return SkippedResults(
        total=sum(tallies.skipped.values()),
        by_reason=[
            SkipReason(kind=kind, reason=reason, n=n, first=tallies.places[kind, reason])
            for (kind, reason), n in tallies.skipped.most_common()
        ],
    )


def _unrated(tallies: Tallies, name: str) -> int:
    group = tallies.legible.get(name)
    return group.unrated if group else 0


def _known_words(groups: Iterable[Legible]) -> float | None:
    listed = list(groups)
    words = sum(group.words for group in listed)
    return sum(group.known for group in listed) / words if words else None


def _group(group: GroupSums, name: str, seed: int, draws: int, unrated: int) -> GroupResults:
    rows = len(group.clusters)
    weights = draw_weights(rows, np.random.default_rng(derive_seed(seed, "logs", name)), draws)
    labels = {label: _label(group, label, rows, weights) for label in sorted(group.labels)}
    final = labels.pop("final_emotion", None)
    ways = Counter({way: sum(n for (_, end), n in group.ends.items() if end == way) for way in ENDS})
    ends_known = bool(ways.total()) or final is not None
    return GroupResults(
        n=group.conversations,
        turns=group.turns,
        longest=group.longest,
        shortest=group.shortest,
        clusters=rows,
        clusters_shared=group.clusters.shared,
        final_emotion=final and MeanEstimate(**final.model_dump(include=set(MeanEstimate.model_fields))),
        successes=ways["success"] if ends_known else None,
        failures=ways["failure"] if ends_known else None,
        exits=_exits(group) if ends_known else None,
        violations=_violations(group),
        measures={
            key: _measure(key, sums, rows, weights)
            for key, sums in sorted(group.measures.items(), key=_order)
            if key not in BOUNDS
        },
        bounds=None if not unrated else _bounds(group, rows, weights),
        labels=labels,
    )


def _bounds(group: GroupSums, rows: int, weights: Floats) -> LogBounds | None:
    """Adherence if all unrated replies adhered 0, and if all adhered 1; None where no pattern was asked for."""
    if not BOUNDS.keys() <= group.measures.keys():
        return None
    worst, best = (_measure(key, group.measures[key], rows, weights) for key in BOUNDS)
    return LogBounds(worst=worst, best=best)


def _order(item: tuple[str, MeasureSums]) -> tuple[bool, str]:
    first = ("adherence", "expressed")
    return (item[0] not in first, item[0])


def _estimate(interval: Interval) -> MeanEstimate:
    return MeanEstimate.model_validate(interval)


def _measure(name: str, measure: MeasureSums, rows: int, weights: Floats) -> MeasureResults:
    by_turn = sums_band(measure.by_turn.sums(rows), weights)
    sums = measure.scalars.sums(rows)
    scalars = sums_band(sums, weights)
    figures = {key: _estimate(scalars.at(column)) for column, key in enumerate(SCALARS)}
    first, last = SCALARS.index("first_quarter"), SCALARS.index("last_quarter")
    beside_length = name != LENGTH  # the rival explanation, not explained by itself
    return MeasureResults(
        by_turn=curve(by_turn, first=0),
        mean=figures["mean"],
        first_two_turns=figures["first_two_turns"],
        first_quarter=figures["first_quarter"],
        last_quarter=figures["last_quarter"],
        retention=_estimate(sums_ratio(sums, last, first, weights)),
        slope_per_turn=_estimate(slope_within(measure.within.sums(rows).totals, weights)),
        slope_given_length=_estimate(slope_given(measure.given_length.sums(rows).totals, weights))
        if beside_length
        else None,
        length_r=_estimate(correlation(measure.with_length.sums(rows).totals, weights)) if beside_length else None,
    )


def _label(group: GroupSums, name: str, rows: int, weights: Floats) -> LabelResults:
    whole = sums_band(group.labels[name].sums(rows), weights).at(0)
    with_expressed, with_length = group.label_moments[name]
    return LabelResults(
        **asdict(whole),
        expressed_r=_estimate(correlation(with_expressed.sums(rows).totals, weights)),
        length_r=_estimate(correlation(with_length.sums(rows).totals, weights)),
    )


def _violations(group: GroupSums) -> ViolationResults | None:
    """Until the first lasting violation of what a conversation began with."""
    if not group.violations:
        return None
    time = _repeated([turn for turn, _ in group.violations], group.violations)
    happened = np.repeat([did for _, did in group.violations], list(group.violations.values()))
    survival = kaplan_meier(time, happened, people=len(group.clusters))
    return ViolationResults(
        survival=SurvivalPoint.rows_of(survival, CURVE_TURNS), median_turn=survival.median, too_short=survival.dropped
    )


def _repeated(turns: Sequence[int], counts: Mapping[Any, int]) -> Ints:
    return np.repeat(np.asarray(turns, dtype=np.int64), list(counts.values()))


def _exits(group: GroupSums) -> ExitResults:
    """Leaving: the share that has not left in failure (success and the planned end are censored), and both ends."""
    time = _repeated([turn for turn, _ in group.ends], group.ends)
    way = np.repeat([_CAUSE[end] for _, end in group.ends], list(group.ends.values()))
    people = len(group.clusters)
    stayed = kaplan_meier(time, way == _CAUSE["failure"], people=people)
    return ExitResults(
        survival=SurvivalPoint.rows_of(stayed, CURVE_TURNS),
        median_turn=stayed.median,
        incidence={
            end: IncidencePoint.rows_of(cumulative_incidence(time, way, _CAUSE[end], people=people), CURVE_TURNS)
            for end in ENDS
        },
    )
