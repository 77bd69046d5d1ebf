"""The gap by task: one row per task, what was wanted against what each candidate let people feel."""

from dataclasses import dataclass

from holdfast.simulator.report.axes import Axis
from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.results.candidate_model import TaskResults
from holdfast.simulator.results.model import Results

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
