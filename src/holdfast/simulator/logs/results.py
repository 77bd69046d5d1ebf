"""Tallies -> what ``holdfast measure`` says: one plain dict, undefined numbers None, with the reason in ``notes``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.core.seeds import derive_seed
from holdfast.simulator.logs.measuring import OTHERS, Tallies
from holdfast.simulator.logs.records import End
from holdfast.simulator.logs.sums import CURVE_TURNS, LENGTH, MOST_CLUSTERS, SCALARS, GroupSums, MeasureSums
from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.bootstrap import DRAWS, Interval
from holdfast.simulator.measure.decay.leaving import Incidence, cumulative_incidence
from holdfast.simulator.measure.sums import correlation, draw_weights, slope_given, sums_band, sums_ratio
from holdfast.simulator.measure.decay.survival import Survival, kaplan_meier
from holdfast.simulator.results.shapes import as_dict, by_turn, plain

SCHEMA_VERSION = 1
ENDS: tuple[End, ...] = ("failure", "success")
_CAUSE: dict[End, int] = {"": 0, "failure": 1, "success": 2}
KNOWN_WORDS = 0.6  # below this share of known words, the log is probably not in the rater's language


def build_results(
    tallies: Tallies,
    *,
    files: Sequence[Mapping[str, str]],
    by: Sequence[str],
    pattern: Mapping[str, Any] | None,
    seed: int = 0,
    draws: int = DRAWS,
) -> dict[str, Any]:
    """Everything that was measured. The same tallies, seed and draws give the same numbers."""
    rater = LinearRater()
    names = sorted(tallies.groups, key=lambda name: (name == OTHERS, name))
    groups = {name: _group(tallies.groups[name], name, seed, draws) for name in names}
    results = {
        "schema_version": SCHEMA_VERSION,
        "kind": "logs",
        "files": list(files),
        "by": list(by),
        "conversations": sum(group.conversations for group in tallies.groups.values()),
        "turns": sum(group.turns for group in tallies.groups.values()),
        "longest": max((group.longest for group in tallies.groups.values()), default=0),
        "rated_replies": tallies.rated,
        "unrated_replies": dict(tallies.unrated),
        "openings": tallies.openings,
        "known_words": tallies.known_words / tallies.words if tallies.words else None,
        "skipped": skipped_of(tallies),
        "rater": {"id": rater.identity.id, "version": rater.identity.version},
        "pattern": pattern,
        "seed": seed,
        "draws": draws,
        "groups": groups,
        "notes": _notes(tallies),
    }
    safe: dict[str, Any] = plain(results)
    return safe


def skipped_of(tallies: Tallies) -> dict[str, Any]:
    """What could not be used, by reason, the most frequent first, each with its first places."""
    return {
        "total": sum(tallies.skipped.values()),
        "by_reason": [
            {"kind": kind, "reason": reason, "n": n, "first": tallies.places[kind, reason]}
            for (kind, reason), n in tallies.skipped.most_common()
        ],
    }


def _group(group: GroupSums, name: str, seed: int, draws: int) -> dict[str, Any]:
    rows = len(group.clusters)
    weights = draw_weights(rows, np.random.default_rng(derive_seed(seed, "logs", name)), draws)
    labels = {label: _label(group, label, rows, weights) for label in sorted(group.labels)}
    final = labels.pop("final_emotion", None)
    ways = Counter({way: sum(n for (_, end), n in group.ends.items() if end == way) for way in ENDS})
    told = bool(ways.total()) or final is not None
    exits, violations = _exits(group) if told else None, _violations(group)
    return {
        "n": group.conversations,
        "turns": group.turns,
        "longest": group.longest,
        "shortest": group.shortest,
        "clusters": rows,
        "clusters_shared": group.clusters.shared,
        "final_emotion": {key: final[key] for key in ("mean", "lo", "hi", "n")} if final else None,
        "successes": ways["success"] if told else None,
        "failures": ways["failure"] if told else None,
        "survival": (exits or violations or {}).get("survival"),
        "survival_until": "leaving in failure" if exits else "the first lasting violation" if violations else None,
        "exits": exits,
        "violations": violations,
        "measures": {key: _measure(key, one, rows, weights) for key, one in sorted(group.measures.items(), key=_order)},
        "labels": labels,
    }


def _order(item: tuple[str, MeasureSums]) -> tuple[bool, str]:
    first = ("adherence", "expressed")
    return (item[0] not in first, item[0])


def _measure(name: str, measure: MeasureSums, rows: int, weights: Floats) -> dict[str, Any]:
    curve = sums_band(measure.by_turn.sums(rows), weights)
    sums = measure.scalars.sums(rows)
    scalars = sums_band(sums, weights)
    found = {key: as_dict(scalars.at(column)) for column, key in enumerate(SCALARS)}
    first, last = SCALARS.index("first_quarter"), SCALARS.index("last_quarter")
    return {
        "by_turn": [{**row, "turn": row["turn"] - 1} for row in by_turn(curve)],  # column 0 is turn 0
        **{key: found[key] for key in SCALARS if key != "slope"},
        "retention": as_dict(sums_ratio(sums, last, first, weights)),
        "slope_per_turn": found["slope"],
        **({} if name == LENGTH else _beside_length(measure, rows, weights)),
    }


def _beside_length(measure: MeasureSums, rows: int, weights: Floats) -> dict[str, Any]:
    """Length as the rival explanation: the slope that is left with length held, and how far they go together."""
    return {
        "slope_given_length": as_dict(slope_given(measure.within.sums(rows).totals, weights)),
        "length_r": as_dict(correlation(measure.with_length.sums(rows).totals, weights)),
    }


def _label(group: GroupSums, name: str, rows: int, weights: Floats) -> dict[str, Any]:
    whole: Interval = sums_band(group.labels[name].sums(rows), weights).at(0)
    with_expressed, with_length = group.label_moments[name]
    return {
        **as_dict(whole),
        "expressed_r": as_dict(correlation(with_expressed.sums(rows).totals, weights)),
        "length_r": as_dict(correlation(with_length.sums(rows).totals, weights)),
    }


def _violations(group: GroupSums) -> dict[str, Any] | None:
    """Until the first lasting violation of what a conversation began with."""
    if not group.violations:
        return None
    time = _repeated([turn for turn, _ in group.violations], group.violations)
    happened = np.repeat([did for _, did in group.violations], list(group.violations.values()))
    held = kaplan_meier(time, happened)
    return {"survival": _survival(held), "median_turn": held.median, "too_short": held.dropped}


def _repeated(turns: Sequence[int], counts: Mapping[Any, int]) -> Ints:
    return np.repeat(np.asarray(turns, dtype=np.int64), list(counts.values()))


def _exits(group: GroupSums) -> dict[str, Any]:
    """Leaving: the share that has not left in failure (success and the planned end are censored), and both ends."""
    time = _repeated([turn for turn, _ in group.ends], group.ends)
    way = np.repeat([_CAUSE[end] for _, end in group.ends], list(group.ends.values()))
    stayed = kaplan_meier(time, way == _CAUSE["failure"])
    return {
        "survival": _survival(stayed),
        "median_turn": stayed.median,
        "incidence": {end: _incidence(cumulative_incidence(time, way, _CAUSE[end])) for end in ENDS},
    }


def _incidence(found: Incidence) -> list[dict[str, float]]:
    columns = (found.turn, found.share, found.lo, found.hi)
    names = ("turn", "share", "lo", "hi")
    return [
        dict(zip(names, row, strict=True)) for row in zip(*(c[:CURVE_TURNS].tolist() for c in columns), strict=True)
    ]


def _survival(found: Survival) -> list[dict[str, float]]:
    columns = (found.turn, found.share, found.lo, found.hi, found.at_risk, found.events)
    names = ("turn", "share", "lo", "hi", "at_risk", "events")
    return [
        dict(zip(names, row, strict=True)) for row in zip(*(c[:CURVE_TURNS].tolist() for c in columns), strict=True)
    ]


def _notes(tallies: Tallies) -> list[str]:
    """What a reader of the numbers must know."""
    notes = []
    if tallies.words and tallies.known_words < KNOWN_WORDS * tallies.words:
        share = tallies.known_words / tallies.words
        notes.append(f"the rater knows {share:.0%} of the words in these replies: it was fitted on English text")
    for reason, n in tallies.unrated.items():
        notes.append(f"{n:,} replies were not rated: {reason}")
    few = [name for name, group in tallies.groups.items() if len(group.clusters) < 2]
    if few:
        notes.append(
            f"no intervals for {len(few)} of {len(tallies.groups)} groups: they resample speakers, and need two"
        )
    if any(group.clusters.shared for group in tallies.groups.values()):
        notes.append(f"intervals rest on {MOST_CLUSTERS} sets of speakers: there are more speakers than that")
    if any(group.longest > CURVE_TURNS for group in tallies.groups.values()):
        notes.append(f"curves are drawn up to turn {CURVE_TURNS}; later turns count in means, quarters and slopes")
    if OTHERS in tallies.groups:
        notes.append(f"there are more groups than are kept apart: the later ones are together as {OTHERS}")
    if tallies.openings:
        notes.append(
            f"{tallies.openings:,} messages of assistants before the user's first are no replies, and left out"
        )
    return notes
