"""The gap by task: one row per task, what was wanted against what each candidate let people feel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.simulator.report.axes import Axis
from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.report.values import Estimate, number

PERCEIVED = Axis(1, 5, (1, 2, 3, 4, 5), 0)  # SENSE-7's scale


@dataclass(frozen=True, slots=True)
class GapCell:
    """What one candidate let people feel in one task; ``at``, ``lo``, ``hi`` are positions in per cent or None."""

    series: Series
    perceived: Estimate
    gap: Estimate
    gap_abs: Estimate
    adherence: Estimate
    n: float | None
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


def gap_rows(results: Mapping[str, Any], cast: Palette) -> list[GapRow]:
    """Rows in the order of the results' tasks; a task that no candidate met is left out."""
    tasks: Mapping[str, Any] = results.get("tasks") or {}
    candidates: Mapping[str, Any] = results.get("candidates") or {}
    patterns: Mapping[str, Any] = results.get("patterns") or {}
    met = {task for c in candidates.values() for task in c.get("by_task") or {}}
    rows = []
    for task in [*tasks, *sorted(met - set(tasks))]:
        if task not in met:
            continue
        cells = {s: (candidates[s.name].get("by_task") or {}).get(task) for s in cast.series}
        felt = tuple(_felt(s, cell) for s, cell in cells.items() if cell)
        desired = next((d for cell in cells.values() if cell and (d := number(cell.get("desired"))) is not None), None)
        pattern = (tasks.get(task) or {}).get("pattern", "")
        rows.append(
            GapRow(
                task=(tasks.get(task) or {}).get("title", task),
                pattern=(patterns.get(pattern) or {}).get("title", pattern),
                desired=desired,
                desired_at=None if desired is None else PERCEIVED.at(desired),
                felt=felt,
                before=next((f.at for f in felt if f.series.baseline), None),
                after=next((f.at for f in felt if f.series == cast.best), None),
            )
        )
    return rows


def _felt(series: Series, cell: Mapping[str, Any]) -> GapCell:
    perceived = Estimate.of(cell.get("perceived"))
    at, lo, hi = (None if v is None else PERCEIVED.at(v) for v in (perceived.mean, perceived.lo, perceived.hi))
    gap, gap_abs, adherence = (Estimate.of(cell.get(key)) for key in ("gap", "gap_abs", "adherence"))
    return GapCell(series, perceived, gap, gap_abs, adherence, number(cell.get("n")), at, lo, hi)
