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
from holdfast.simulator.report.goals import goals_view
from holdfast.simulator.report.headline import headline_view
from holdfast.simulator.report.holding import holding_view
from holdfast.simulator.report.lines import LineChart, line_chart
from holdfast.simulator.report.network import network
from holdfast.simulator.report.provenance import ablation_table, provenance_rows, rater_card, timing_rows
from holdfast.simulator.report.render import render
from holdfast.simulator.report.routing import confusion
from holdfast.simulator.report.series import Series, palette_of
from holdfast.simulator.report.simulators import TALK, simulators
from holdfast.simulator.report.transcripts import BUDGET, embed
from holdfast.simulator.report.witnesses import witness_views
from holdfast.simulator.results.candidate_model import CandidateResults
from holdfast.simulator.results.estimates import Curve
from holdfast.simulator.results.model import Results

Rows = list[tuple[Series, CandidateResults]]


def write_report(
    path: Path,
    results: Results,
    episodes: Sequence[EpisodeRecord],
    personas: Mapping[str, Persona],
    *,
    budget: int = BUDGET,
) -> Path:
    """Write the page to ``path`` (whole or not at all) and return it.

    Absent parts of ``results`` become a plain sentence. ``personas``: by id, for names; one that is missing shows by
    its id. ``budget``: characters of transcripts to carry (see ``transcripts``).
    Raises OSError where the path cannot be written.
    """
    text = render(page_context(results, episodes, personas, budget))
    with drafted(path) as draft:
        draft.write_text(text, encoding="utf-8", errors="replace")
    return path


def page_context(
    results: Results,
    episodes: Sequence[EpisodeRecord],
    personas: Mapping[str, Persona],
    budget: int = BUDGET,
) -> dict[str, Any]:
    """Everything that the templates name."""
    palette, turns = palette_of(results), _turns(results)
    rows = [(series, results.candidates[series.name]) for series in palette.series]
    names = {id: persona.name for id, persona in personas.items()}
    return {
        "results": results,
        "palette": palette,
        "rows": rows,
        "notes": [(series, name, note) for series, part in rows for name, note in part.notes.items()],
        "retention_strips": strips([part.retention for _, part in rows], 1.0),
        "headline": headline_view(results, palette),
        "microcosm": bool(results.provenance.get("microcosm")),
        "decay": _decay(rows, turns),
        "holding": holding_view(results, palette, turns),
        "goals": goals_view(rows, turns),
        "names": names,
        "needs": {(id, goal.id): goal.need for id, persona in personas.items() for goal in persona.goals},
        "witnesses": witness_views(results, rows, turns),
        "mechanisms": _mechanisms(rows, turns),
        "gap": gap_rows(results, palette),
        "perceived": PERCEIVED,
        "survival": _survival(rows, turns),
        "confusion": confusion(results),
        "routing": _routing(results, turns),
        "pairs": pairs_by_metric(results, palette),
        "simulators": simulators(results, palette),
        "talk_titles": TALK,
        "network": network(results, names),
        "embedded": embed(results, episodes, personas, palette, budget),
        "provenance": provenance_rows(results),
        "timings": timing_rows(results),
        "ablation": ablation_table(results),
        "rater_card": rater_card(results.raters[0].id),
    }


def _turns(results: Results) -> int:
    curves = (candidate.adherence_by_turn for candidate in results.candidates.values())
    return max([results.turns, *(point.turn for curve in curves for point in curve)])


def _decay(rows: Rows, turns: int) -> LineChart:
    return line_chart(
        "decay",
        "Adherence by turn",
        "Mean adherence to the expected empathy pattern at each turn, one line per candidate, with 95 % bands.",
        [(series, part.adherence_by_turn) for series, part in rows],
        turns=turns,
        height=380,
        quarters=True,
        y_label="adherence",
    )


def _mechanisms(rows: Rows, turns: int) -> list[tuple[str, LineChart, LineChart]]:
    """(mechanism, expressed level, error against the target) by turn."""
    levels: list[dict[str, Curve]] = [part.mechanism_by_turn for _, part in rows]
    errors: list[dict[str, Curve]] = [part.mechanism_error_by_turn for _, part in rows]
    charts = []
    for kind, what, parts in (("level", "expressed level", levels), ("error", "distance from the target", errors)):
        lines = {m: [(row[0], part[m]) for row, part in zip(rows, parts, strict=True)] for m in MECHANISMS}
        # One axis for the three, so that they can be compared; it begins at 0.
        highs = [value for part in parts for m in MECHANISMS for point in part[m] for value in (point.mean, point.hi)]
        y = fitted([0.0, *(high for high in highs if high is not None)], 0.0, 2.0, target=4)
        charts.append([_mechanism(m, kind, what, lines[m], y=y, turns=turns) for m in MECHANISMS])
    return list(zip(MECHANISMS, *charts, strict=True))


def _mechanism(
    mechanism: str, kind: str, what: str, lines: Sequence[tuple[Series, Curve]], *, y: Axis, turns: int
) -> LineChart:
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


def _survival(rows: Rows, turns: int) -> LineChart:
    return line_chart(
        "survival",
        "Conversations whose pattern still holds",
        "Kaplan-Meier share of conversations without a lasting violation of the pattern, by turn, per candidate.",
        [(series, part.survival) for series, part in rows],
        turns=turns,
        y=SHARE,
        height=300,
        steps=True,
        y_label="share that still holds",
    )


def _routing(results: Results, turns: int) -> LineChart:
    line = results.router.accuracy_by_turn if results.router else []
    return line_chart(
        "routing",
        "Accuracy by turn",
        "Share of turns whose task was recognised correctly, by turn.",
        [(Series("routing accuracy", 0, 1, False), line)],
        turns=turns,
        y=SHARE,
        height=220,
        y_label="accuracy",
    )
