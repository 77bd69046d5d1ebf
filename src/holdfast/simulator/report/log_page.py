"""Results of logs -> ``results.json`` and ``report.html``: a study's figures, of conversations that others had."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.core.errors import InputError
from holdfast.simulator.logs.methods import SLOPE, SLOPE_GIVEN_LENGTH, bibtex, methods_text
from holdfast.simulator.logs.model import ConversationFall, GroupResults, LogDifference, LogResults
from holdfast.simulator.logs.sums import LENGTH
from holdfast.simulator.logs.tallies import RatedConversation, Tallies
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.decay.survival import SurvivalPoint
from holdfast.simulator.measure.estimates import UNDEFINED, Estimate
from holdfast.simulator.report.axes import SHARE, Axis, levels_axis
from holdfast.simulator.report.forest import IntervalStrip, strips
from holdfast.simulator.report.lines import LineChart, line_chart
from holdfast.simulator.report.provenance import rater_card
from holdfast.simulator.report.render import write_page
from holdfast.simulator.report.series import COLOURS, Series
from holdfast.simulator.report.values import beginning, between, drawn_scale, fixed, percent
from holdfast.simulator.results.store import RESULTS, write_results

KEPT = 4  # conversations of each group that a report may show
LONGEST_TEXT = 1500  # characters of a message that the page carries
MOST_TURNS = 40  # of a conversation that the page carries
SCALES = {"emotion": (0.0, 100.0), "adherence": (0.0, 1.0), "expressed": (0.0, 2.0)}
WORDS = {"adherence": "adherence", "expressed": "expressed empathy"}
Rows = list[tuple[Series, GroupResults]]


def write_outputs(out: Path, results: LogResults, tallies: Tallies) -> Path:
    """Write ``results.json`` and ``report.html`` into ``out``; the page's path. Conversations that ``tallies`` kept
    are shown on it. Raises InputError where the folder cannot be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_results(out / RESULTS, results)
        context = page_context(results, _shown_talks(tallies, results.main_measure))
        return write_page(out / "report.html", context, "logs.html.jinja", ("figures.js", "talks.js"))
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror or error}); choose another --out") from error


def _shown_talks(tallies: Tallies, measure: str) -> list[tuple[RatedConversation, Floats]]:
    """Return the first conversations of each group, then those that fall most, each once."""
    fallen = [(each.talk, each.levels) for each in tallies.falls.get(measure, ())]
    listed = [*tallies.kept, *((talk, levels) for talk, levels in fallen if talk is not None and levels is not None)]
    return list({talk.conversation.id: (talk, levels) for talk, levels in listed}.values())


def page_context(results: LogResults, kept_talks: Sequence[tuple[RatedConversation, Floats]] = ()) -> dict[str, Any]:
    """Everything that the templates name."""
    series = tuple(Series(name, index, 1 + index % COLOURS, False) for index, name in enumerate(results.groups))
    rows = [(s, results.groups[s.name]) for s in series]
    groups = list(results.groups.values())
    main = results.main_measure
    scale = results.rater.scale
    rated = ("adherence", "expressed", *scale.dimensions)
    turn_labels = sorted({name for group in groups for name in group.measures} - {*rated, LENGTH})
    after = sorted({name for group in groups for name in group.labels})
    kept = [group.measures[main].retention if main in group.measures else UNDEFINED for group in groups]
    curves = [group.measures[name].by_turn for group in groups for name in scale.dimensions if name in group.measures]
    levels = levels_axis(curves, scale)
    kept_on = [(s, group.violations.survival if group.violations else []) for s, group in rows]
    stayed = [(s, group.exits.survival if group.exits else []) for s, group in rows]
    ended = any(group.successes or group.failures for group in groups)
    return {
        "results": results,
        "scale": drawn_scale(scale),
        "rater_card": rater_card(results.rater.id),
        "series": series,
        "rows": rows,
        "headline": log_headline(results, series),
        "main": main,
        "retention_strips": strips(kept, 1.0),
        "curve": _chart(rows, main, 380, quarters=True) if main else None,
        "length": _chart(rows, LENGTH, 190),
        "mechanisms": [_chart(rows, name, 190, y=levels) for name in scale.dimensions] if main else [],
        "labels": [_chart(rows, name, 260) for name in turn_labels],
        "emotions": any(group.final_emotion for group in groups),
        "emotion_strips": strips([group.final_emotion or UNDEFINED for group in groups], 50.0),
        "after": [(name, [(s, group.labels.get(name)) for s, group in rows]) for name in after],
        "rated": [name for name in rated if any(name in group.measures for group in groups)],
        "survival": _survival("violations", "Conversations that keep what they began with", kept_on),
        "exits": _survival("exits", "Conversations that have not ended in failure", stayed) if ended else None,
        "slope": SLOPE,
        "slope_given_length": SLOPE_GIVEN_LENGTH,
        "methods": methods_text(results),
        "bibtex": bibtex(results),
        "differences": _differences(results, series),
        "talks": [_talk(talk, levels, series, number) for number, (talk, levels) in enumerate(kept_talks, start=1)],
        "falls": _falls(results, series, [talk.conversation.id for talk, _ in kept_talks]),
    }


def _differences(
    results: LogResults, series: Sequence[Series]
) -> list[tuple[str, list[tuple[Series, Series, IntervalStrip, LogDifference]]]]:
    """(title, pairs) for level and slope, the slope in ten turns; an axis for each."""
    by_name, tables = {s.name: s for s in series}, []
    for figure, title, factor in (("level", "Level", 1.0), ("slope", "Slope in ten turns", 10.0)):
        rows = [row for row in results.differences if row.figure == figure]
        drawn = strips([row.times(factor) for row in rows], 0.0)
        members = [(by_name[row.a], by_name[row.b], strip, row) for row, strip in zip(rows, drawn, strict=True)]
        tables += [(title, members)] if members else []
    return tables


@dataclass(frozen=True, slots=True)
class LogHeadline:
    """``lead``, then ``claims``: (group, figure, interval), highest first; ``rest``: groups that are not named."""

    lead: str
    claims: tuple[tuple[Series, str, str], ...]
    rest: int


def log_headline(results: LogResults, series: Sequence[Series]) -> LogHeadline:
    """Retention of the leading measure, or the final emotion where replies have no text; the two extremes of many."""
    main, groups = results.main_measure, [(s, results.groups[s.name]) for s in series]
    if main:
        lead = f"From the first to the last quarter of a conversation, {WORDS[main]} kept"
        kept = [(s, group.measures[main].retention) for s, group in groups if main in group.measures]
        written = [
            (s, e.mean, percent(e.mean), between(e, "percent") or e.reason) for s, e in kept if e.mean is not None
        ]
    else:
        lead = "The emotion at the end, on a scale from 0 to 100, was"
        ends = [(s, group.final_emotion) for s, group in groups if group.final_emotion is not None]
        written = [(s, e.mean, fixed(e.mean, 1), _interval(e)) for s, e in ends if e.mean is not None]
    ranked = [(s, text, inside) for s, _, text, inside in sorted(written, key=lambda row: -row[1])]
    named = ranked if len(ranked) <= 2 else [ranked[0], ranked[-1]]
    return LogHeadline(lead, tuple(named), len(ranked) - len(named))


def _interval(estimate: Estimate) -> str:
    if estimate.lo is None or estimate.hi is None:
        return estimate.reason
    return f"{fixed(estimate.lo, 1)} to {fixed(estimate.hi, 1)}"


def _chart(rows: Rows, name: str, height: int, *, quarters: bool = False, y: Axis | None = None) -> LineChart:
    low, high = SCALES.get(name, (0.0, float("inf")))
    words = {"expressed": "expressed empathy", LENGTH: "reply length, characters"}.get(name, name.replace("_", " "))
    lines = [(s, group.measures[name].by_turn if name in group.measures else []) for s, group in rows]
    lengths = {length for _, group in rows for length in (group.shortest, group.longest)}
    return line_chart(
        f"curve-{name}",
        f"{words[0].upper()}{words[1:]} by turn",
        f"Mean {words} at each turn, one line per group, with 95 % bands.",
        lines,
        turns=max([1, *(point.turn for _, line in lines for point in line)]),
        floor=low,
        ceiling=high,
        height=height,
        quarters=quarters and len(lengths) == 1,  # else every conversation has quarters of its own
        y=y,
        y_label="" if height < 200 else words,  # small ones have a heading
    )


def _survival(until: str, title: str, lines: Sequence[tuple[Series, Sequence[SurvivalPoint]]]) -> LineChart:
    return line_chart(
        f"steps-{until}",
        title,
        f"{title}: Kaplan-Meier share by turn, per group.",
        lines,
        turns=max([1, *(point.turn for _, line in lines for point in line)]),
        y=SHARE,
        height=300,
        steps=True,
        y_label="share",
    )


def _falls(
    results: LogResults, series: Sequence[Series], shown: Sequence[str]
) -> list[tuple[ConversationFall, Series | None, str]]:
    """(conversation, group, anchor of its talk or "") of those that fall most."""
    by_name = {s.name: s for s in series}
    anchors = {conversation: f"talk-{number}" for number, conversation in enumerate(shown, start=1)}
    return [(fall, by_name.get(fall.group), anchors.get(fall.conversation, "")) for fall in results.falls]


def _talk(talk: RatedConversation, levels: Floats, series: Sequence[Series], number: int) -> dict[str, Any]:
    turns = [
        {
            "number": number,
            "user": beginning(turn.user, LONGEST_TEXT, "the log"),
            "reply": beginning(turn.reply, LONGEST_TEXT, "the log"),
            "levels": [None if math.isnan(level) else level for level in row],
            "labels": sorted(turn.labels.items()),
            "tags": turn.tags,
        }
        for number, (turn, row) in enumerate(zip(talk.turns.turns, levels.tolist(), strict=True), start=1)
    ]
    return {
        "series": next((s for s in series if s.name == talk.group), None),
        "id": talk.conversation.id,
        "anchor": f"talk-{number}",
        "labels": sorted(talk.conversation.labels.items()),
        "turns": turns[:MOST_TURNS],
        "more": max(0, len(turns) - MOST_TURNS),
    }
