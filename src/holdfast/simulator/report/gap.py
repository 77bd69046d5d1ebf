"""The gap by task, what was wanted against what each candidate let people feel; and who says what people felt."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.agents.raters.felt.feelers import FeelerKind
from holdfast.simulator.report.axes import Axis
from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.results.candidate_model import TaskResults
from holdfast.simulator.results.felt_model import FeltCandidate, FeltResults
from holdfast.simulator.results.model import Results

#: Feeler -> what to call it, and what its values are.
FEELERS: Mapping[FeelerKind, tuple[str, str]] = {
    "people": (
        "people who chatted",
        "what people who chatted would say of the chat so far, by weights that were fitted on what people said and "
        "never see a rater's levels",
    ),
    "model": ("a model", "what a chat model says that takes the user's part, after an inner monologue"),
    "formula": (
        "the formula",
        "the user agents' own appraisal, which embedded users compute from the rater's levels: it restates the rater, "
        "and is no second opinion",
    ),
}
ECHO = 0.5  # of the variance explained by expressed levels: from here on felt empathy is called an echo
PERCEIVED = Axis(1, 5, (1, 2, 3, 4, 5), 0)  # SENSE-7's scale


@dataclass(frozen=True, slots=True)
class GapCell:
    """What one candidate let people feel in one task; ``at``, ``lo``, ``hi`` are positions in per cent or None."""

    series: Series
    figures: TaskResults
    at: float | None
    lo: float | None
    hi: float | None


@dataclass(frozen=True, slots=True)
class GapRow:
    """One task. ``desired_at``, ``before`` and ``after`` are positions in per cent or None."""

    task: str
    pattern: str
    desired: float | None
    desired_at: float | None
    felt: tuple[GapCell, ...]
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class FeelerView:
    """One feeler. ``rows``: per candidate; ``own``: it is the study's; ``echo``: what its R² warns of, if it does."""

    title: str
    meaning: str
    own: bool
    felt: FeltResults
    rows: tuple[tuple[Series, FeltCandidate], ...]
    echo: bool


def feeler_views(results: Results, palette: Palette) -> tuple[FeelerView, ...]:
    """Every feeler, the study's own first; none for results from before there was a choice."""
    return tuple(
        FeelerView(
            *FEELERS[felt.feeler],
            own=felt is results.felt[0],
            felt=felt,
            rows=tuple((s, felt.candidates[s.name]) for s in palette.series if s.name in felt.candidates),
            echo=felt.restates is not None and (felt.restates.by_turn.share or 0.0) >= ECHO,
        )
        for felt in results.felt
    )


def gap_rows(results: Results, palette: Palette) -> list[GapRow]:
    """Rows in the order of the results' tasks; a task that no candidate met is left out."""
    rows = []
    for task, info in results.tasks.items():
        cells = [(s, results.candidates[s.name].by_task.get(task)) for s in palette.series]
        felt = tuple(
            GapCell(s, part, *map(PERCEIVED.where, (part.perceived.mean, part.perceived.lo, part.perceived.hi)))
            for s, part in cells
            if part is not None
        )
        if not felt:
            continue
        desired = next((cell.figures.desired for cell in felt if cell.figures.desired is not None), None)
        pattern = results.patterns.get(info.pattern)
        rows.append(
            GapRow(
                task=info.title,
                pattern=pattern.title if pattern else info.pattern,
                desired=desired,
                desired_at=PERCEIVED.where(desired),
                felt=felt,
                before=next((cell.at for cell in felt if cell.series.baseline), None),
                after=next((cell.at for cell in felt if cell.series == palette.best), None),
            )
        )
    return rows
