"""Results and episodes -> ``report.html``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.personas.schema import Persona
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.report.figures import FIGURES, PageData
from holdfast.simulator.report.forest import strips
from holdfast.simulator.report.gap import PERCEIVED, feeler_views
from holdfast.simulator.report.headline import headline_view
from holdfast.simulator.report.provenance import ablation_table, provenance_rows, rater_card, timing_rows
from holdfast.simulator.report.render import write_page
from holdfast.simulator.report.routing import confusion
from holdfast.simulator.report.series import palette_of
from holdfast.simulator.report.simulators import TALK
from holdfast.simulator.report.transcripts import BUDGET, embed
from holdfast.simulator.results.model import Results
from holdfast.simulator.results.outcomes import outcome_lines
from holdfast.simulator.results.simulators import verdicts_that_differ


def write_report(
    path: Path,
    results: Results,
    episodes: Sequence[EpisodeRecord],
    personas: Mapping[str, Persona],
    *,
    budget: int = BUDGET,
) -> Path:
    """Write the page to ``path`` (whole or not at all) and return it.

    Absent parts of ``results`` are left out. ``personas``: by id, for names; one that is missing shows by
    its id. ``budget``: characters of transcripts to carry (see ``transcripts``).
    Raises OSError where the path cannot be written.
    """
    return write_page(path, page_context(results, episodes, personas, budget))


def page_context(
    results: Results,
    episodes: Sequence[EpisodeRecord],
    personas: Mapping[str, Persona],
    budget: int = BUDGET,
) -> dict[str, Any]:
    """Everything that the templates name."""
    page = PageData(results, palette_of(results), {id: persona.name for id, persona in personas.items()})
    palette, rows = page.palette, page.rows
    views = {figure.name: figure.view(page) for figure in FIGURES}
    return {
        **views,
        "figures": [figure for figure in FIGURES if views[figure.name] is not None],
        "results": results,
        "palette": palette,
        "rows": rows,
        "notes": [(series, name, note) for series, part in rows for name, note in part.notes.items()],
        "outcomes": outcome_lines(results.candidates),
        "retention_strips": strips([part.retention for _, part in rows], 1.0),
        "headline": headline_view(results, palette),
        "microcosm": bool(results.provenance.get("microcosm")),
        "names": page.names,
        "needs": {(id, goal.id): goal.need for id, persona in personas.items() for goal in persona.goals},
        "perceived": PERCEIVED,
        "feelers": feeler_views(results, palette),
        "confusion": confusion(results),
        "talk_titles": TALK,
        "verdicts_that_differ": verdicts_that_differ(results.simulators or {}),
        "embedded": embed(results, episodes, personas, palette, budget),
        "provenance": provenance_rows(results),
        "timings": timing_rows(results),
        "ablation": ablation_table(results),
        "rater_card": rater_card(results.raters[0].id),
    }
