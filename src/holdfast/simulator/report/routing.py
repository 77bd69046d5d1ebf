"""Routing: which task was recognised where which was meant, as a table shaded by the share of each true task."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.simulator.results.model import Results, TaskInfo

SHADES = 9  # classes h0-h9 of the style sheet


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """``shade`` 0-9: tenths of the true task's turns that were recognised so."""

    count: int
    share: float
    shade: int
    right: bool


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows are true tasks, columns recognised ones, both in the order of the results."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, int, tuple[ConfusionCell, ...]], ...]  # (true task, its count, cells)


def confusion(results: Results) -> Confusion | None:
    """None where there is no router, or it recognised nothing."""
    table = results.router.confusion if results.router else {}
    if not table:
        return None
    seen = {name for counts in table.values() for name in counts} | set(table)
    names = [task for task in results.tasks if task in seen] + sorted(seen - set(results.tasks))
    rows = tuple(_row(name, table[name], names, results.tasks) for name in names if name in table)
    return Confusion(tuple(_title(name, results.tasks) for name in names), rows)


def _row(
    name: str, counts: Mapping[str, int], names: list[str], tasks: Mapping[str, TaskInfo]
) -> tuple[str, int, tuple[ConfusionCell, ...]]:
    values = [counts.get(other, 0) for other in names]
    total = sum(values)
    shares = [v / total if total else 0.0 for v in values]
    cells = tuple(
        ConfusionCell(v, s, 0 if v == 0 else max(1, round(SHADES * s)), other == name)
        for v, s, other in zip(values, shares, names, strict=True)
    )
    return _title(name, tasks), total, cells


def _title(task: str, tasks: Mapping[str, TaskInfo]) -> str:
    return tasks[task].title if task in tasks else task.replace("_", " ")
