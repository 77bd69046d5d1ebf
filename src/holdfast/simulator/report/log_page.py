"""Results of logs -> ``results.json`` and ``report.html``: a study's figures, of conversations that others had."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.core.atomic import drafted, write_json
from holdfast.core.errors import InputError
from holdfast.personas.schema import MECHANISMS
from holdfast.simulator.logs.measuring import RatedConversation, Tallies
from holdfast.simulator.logs.sums import LENGTH
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.report.axes import SHARE, Axis, fitted
from holdfast.simulator.report.forest import strips
from holdfast.simulator.report.lines import LineChart, line_chart
from holdfast.simulator.report.log_headline import log_headline, main_measure
from holdfast.simulator.report.provenance import rater_card
from holdfast.simulator.report.render import render
from holdfast.simulator.report.series import COLOURS, Series
from holdfast.simulator.report.values import Estimate, number

KEPT = 4  # conversations of each group that a report may show
LONGEST_TEXT = 1500  # characters of a message that the page carries
MOST_TURNS = 40  # of a conversation that the page carries
SCALES = {"emotion": (0.0, 100.0), "adherence": (0.0, 1.0), "expressed": (0.0, 2.0)}
RATED = ("adherence", "expressed", *MECHANISMS)


def write_outputs(out: Path, results: Mapping[str, Any], tallies: Tallies) -> Path:
    """Write ``results.json`` and ``report.html`` into ``out``; the page's path. Conversations that ``tallies`` kept
    are shown on it. Raises InputError where the folder cannot be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "results.json", results)
        text = render(page_context(results, tallies.kept), "logs.html.jinja", ("figures.js",))
        path = out / "report.html"
        with drafted(path) as draft:
            draft.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror or error}); choose another --out") from error
    return path


def page_context(results: Mapping[str, Any], kept: Sequence[tuple[RatedConversation, Floats]] = ()) -> dict[str, Any]:
    """Everything that the templates name."""
    groups: Mapping[str, Any] = results["groups"]
    series = tuple(Series(name, index, 1 + index % COLOURS, False) for index, name in enumerate(groups))
    main = main_measure(results)
    turn_labels = sorted({name for g in groups.values() for name in g["measures"]} - {*RATED, LENGTH})
    after = sorted({name for g in groups.values() for name in g["labels"]})
    kept_at = [Estimate.of((groups[s.name]["measures"].get(main) or {}).get("retention")) for s in series]
    return {
        "results": results,
        "rater_card": rater_card(results.get("rater")),
        "series": series,
        "rows": [(s, groups[s.name]) for s in series],
        "headline": log_headline(results, series),
        "main": main,
        "retention_strips": strips(kept_at, 1.0),
        "curve": _chart(results, series, main, 380, quarters=True) if main else None,
        "length": _chart(results, series, LENGTH, 190),
        "mechanisms": [_chart(results, series, name, 190, y=_levels(groups)) for name in MECHANISMS] if main else [],
        "labels": [_chart(results, series, name, 260) for name in turn_labels],
        "emotion_strips": strips([Estimate.of(groups[s.name]["final_emotion"]) for s in series], 50.0),
        "after": [(name, [(s, groups[s.name]["labels"].get(name)) for s in series]) for name in after],
        "rated": [name for name in RATED if any(name in g["measures"] for g in groups.values())],
        "survival": _steps(results, series, "violations", "Conversations that keep what they began with"),
        "exits": _exits(results, series),
        "talks": [_talk(talk, levels, series) for talk, levels in kept],
        "estimate": Estimate.of,
    }


def _chart(
    results: Mapping[str, Any],
    series: Sequence[Series],
    name: str,
    height: int,
    *,
    quarters: bool = False,
    y: Any = None,
) -> LineChart:
    measures = [(s, results["groups"][s.name]["measures"].get(name) or {}) for s in series]
    low, high = SCALES.get(name, (0.0, float("inf")))
    words = {"expressed": "expressed empathy", LENGTH: "reply length, characters"}.get(name, name.replace("_", " "))
    lines = [(s, one.get("by_turn") or ()) for s, one in measures]
    lengths = {row[end] for row in results["groups"].values() for end in ("shortest", "longest")}
    return line_chart(
        f"curve-{name}",
        f"{words[0].upper()}{words[1:]} by turn",
        f"Mean {words} at each turn, one line per group, with 95 % bands.",
        lines,
        turns=max([1, *(int(p["turn"]) for _, line in lines for p in line)]),
        floor=low,
        ceiling=high,
        height=height,
        quarters=quarters and len(lengths) == 1,  # else every conversation has quarters of its own
        y=y,
        y_label="" if height < 200 else words,  # small ones have a heading
    )


def _levels(groups: Mapping[str, Any]) -> Axis:
    """One axis for the three mechanisms, so that they can be compared."""
    curves = [g["measures"].get(name, {}).get("by_turn") or () for g in groups.values() for name in MECHANISMS]
    highs = [number(p.get(end)) for curve in curves for p in curve for end in ("mean", "hi")]
    return fitted([0.0, *(high for high in highs if high is not None)], 0.0, 2.0, target=4)


def _steps(results: Mapping[str, Any], series: Sequence[Series], until: str, title: str) -> LineChart:
    lines: list[tuple[Series, Sequence[Mapping[str, Any]]]] = []
    for s in series:
        found: Mapping[str, Any] = results["groups"][s.name][until] or {}
        lines.append((s, found.get("survival") or ()))
    return line_chart(
        f"steps-{until}",
        title,
        f"{title}: Kaplan-Meier share by turn, per group.",
        lines,
        turns=max([1, *(int(p["turn"]) for _, line in lines for p in line)]),
        value="share",
        size="at_risk",
        y=SHARE,
        height=300,
        steps=True,
        y_label="share",
    )


def _exits(results: Mapping[str, Any], series: Sequence[Series]) -> LineChart | None:
    if not any(group["successes"] or group["failures"] for group in results["groups"].values()):
        return None
    return _steps(results, series, "exits", "Conversations that have not ended in failure")


def _talk(talk: RatedConversation, levels: Floats, series: Sequence[Series]) -> dict[str, Any]:
    turns = [
        {
            "number": number,
            "user": _cut(turn.user),
            "reply": _cut(turn.reply),
            "levels": [None if math.isnan(level) else level for level in row],
            "labels": sorted(turn.labels.items()),
            "tags": turn.tags,
        }
        for number, (turn, row) in enumerate(zip(talk.turns.turns, levels.tolist(), strict=True), start=1)
    ]
    return {
        "series": next((s for s in series if s.name == talk.group), None),
        "id": talk.conversation.id,
        "labels": sorted(talk.conversation.labels.items()),
        "turns": turns[:MOST_TURNS],
        "more": max(0, len(turns) - MOST_TURNS),
    }


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
