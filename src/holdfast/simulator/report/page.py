"""Results and episodes -> ``report.html``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.core.atomic import drafted
from holdfast.personas.schema import MECHANISMS, Persona
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.report.axes import SHARE, Axis, fitted
from holdfast.simulator.report.forest import pairs_by_metric, strips
from holdfast.simulator.report.gap import PERCEIVED, gap_rows
from holdfast.simulator.report.headline import headline
from holdfast.simulator.report.holding import holding_view
from holdfast.simulator.report.lines import LineChart, line_chart
from holdfast.simulator.report.network import network
from holdfast.simulator.report.provenance import ablation_table, is_microcosm, provenance_rows, rater_card, timing_rows
from holdfast.simulator.report.render import render
from holdfast.simulator.report.routing import confusion
from holdfast.simulator.report.series import Palette, Series, palette_of
from holdfast.simulator.report.simulators import TALK, simulators
from holdfast.simulator.report.transcripts import BUDGET, embed
from holdfast.simulator.report.values import Estimate, number

Lines = list[tuple[Series, Sequence[Mapping[str, Any]]]]


def write_report(
    path: Path,
    results: Mapping[str, Any],
    episodes: Sequence[EpisodeRecord],
    personas: Mapping[str, Persona],
    *,
    budget: int = BUDGET,
) -> Path:
    """Write the page to ``path`` (whole or not at all) and return it.

    ``results``: as in results.json, schema version 1; absent parts become a plain sentence. ``personas``: by id, for
    names; one that is missing shows by its id. ``budget``: characters of transcripts to carry (see ``transcripts``).
    Raises OSError where the path cannot be written.
    """
    text = render(page_context(results, episodes, personas, budget))
    with drafted(path) as draft:
        draft.write_text(text, encoding="utf-8", errors="replace")
    return path


def page_context(
    results: Mapping[str, Any],
    episodes: Sequence[EpisodeRecord],
    personas: Mapping[str, Persona],
    budget: int = BUDGET,
) -> dict[str, Any]:
    """Everything that the templates name."""
    people = palette_of(results)
    candidates: Mapping[str, Any] = results.get("candidates") or {}
    tasks: Mapping[str, Any] = results.get("tasks") or {}
    router = results.get("router")
    names = {id: persona.name for id, persona in personas.items()}
    seed = int(number(results.get("seed")) or 0)
    embedded = embed(results, episodes, personas, people, budget)
    return {
        "results": results,
        "cast": people,
        "rows": [(s, candidates[s.name]) for s in people.series],
        "notes": [(s, k, v) for s in people.series for k, v in (candidates[s.name].get("notes") or {}).items()],
        "retention_strips": strips([Estimate.of(candidates[s.name].get("retention")) for s in people.series], 1.0),
        "headline": headline(results, people),
        "microcosm": is_microcosm(results),
        "decay": _decay(results, people),
        "holding": holding_view(results, people, _turns(results)),
        "mechanisms": _mechanisms(results, people),
        "gap": gap_rows(results, people),
        "perceived": PERCEIVED,
        "survival": _survival(results, people),
        "confusion": confusion(router, tasks),
        "routing": _routing(router, _turns(results)),
        "pairs": pairs_by_metric(results, people),
        "simulators": simulators(results, people),
        "talk_titles": TALK,
        "network": network(results.get("population"), tasks, names, seed),
        "embedded": embedded,
        "provenance": provenance_rows(results),
        "timings": timing_rows(results),
        "ablation": ablation_table(results),
        "rater_card": rater_card((results.get("provenance") or {}).get("rater")),
        "estimate": Estimate.of,
    }


def _turns(results: Mapping[str, Any]) -> int:
    longest = number(results.get("turns")) or 0
    curves = (c.get("adherence_by_turn") or () for c in (results.get("candidates") or {}).values())
    return int(max([longest, *(p["turn"] for curve in curves for p in curve)]))


def _lines(results: Mapping[str, Any], people: Palette, *keys: str) -> Lines:
    """One list of points per candidate, found under ``keys``; empty where a candidate lacks it."""
    lines = []
    for s in people.series:
        found: Any = results["candidates"][s.name]
        for key in keys:
            found = (found or {}).get(key)
        lines.append((s, found or ()))
    return lines


def _decay(results: Mapping[str, Any], people: Palette) -> LineChart:
    return line_chart(
        "decay",
        "Adherence by turn",
        "Mean adherence to the expected empathy pattern at each turn, one line per candidate, with 95 % bands.",
        _lines(results, people, "adherence_by_turn"),
        turns=_turns(results),
        height=380,
        quarters=True,
        y_label="adherence",
    )


def _mechanisms(results: Mapping[str, Any], people: Palette) -> list[tuple[str, LineChart, LineChart]]:
    """(mechanism, expressed level, error against the target) by turn."""
    rows = []
    for kind, what, key in (
        ("level", "expressed level", "mechanism_by_turn"),
        ("error", "distance from the target", "mechanism_error_by_turn"),
    ):
        lines = {m: _lines(results, people, key, m) for m in MECHANISMS}
        # One axis for the three, so that they can be compared; it begins at 0.
        highs = [number(p.get(end)) for line in lines.values() for _, ps in line for p in ps for end in ("mean", "hi")]
        y = fitted([0.0, *(high for high in highs if high is not None)], 0.0, 2.0, target=4)
        rows.append([_mechanism(m, kind, what, lines[m], y=y, turns=_turns(results)) for m in MECHANISMS])
    return list(zip(MECHANISMS, *rows, strict=True))


def _mechanism(mechanism: str, kind: str, what: str, lines: Lines, *, y: Axis, turns: int) -> LineChart:
    plain = mechanism.replace("_", " ")
    return line_chart(
        f"{kind}-{mechanism}",
        f"{plain.capitalize()}: {what}",
        f"{what.capitalize()} of {plain} at each turn, one line per candidate, with 95 % bands.",
        lines,
        turns=turns,
        y=y,
        height=190,
    )


def _survival(results: Mapping[str, Any], people: Palette) -> LineChart:
    return line_chart(
        "survival",
        "Conversations whose pattern still holds",
        "Kaplan-Meier share of conversations without a lasting violation of the pattern, by turn, per candidate.",
        _lines(results, people, "survival"),
        turns=_turns(results),
        value="share",
        size="at_risk",
        y=SHARE,
        height=300,
        steps=True,
        y_label="share that still holds",
    )


def _routing(router: Mapping[str, Any] | None, turns: int) -> LineChart:
    line = (router or {}).get("accuracy_by_turn") or ()
    return line_chart(
        "routing",
        "Accuracy by turn",
        "Share of turns whose task was recognised correctly, by turn.",
        [(Series("routing accuracy", 0, 1, False), line)],
        turns=turns,
        value="accuracy",
        y=SHARE,
        height=220,
        y_label="accuracy",
    )
