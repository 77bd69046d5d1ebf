"""Routing: which task was recognised where which was meant, as a table shaded by the share of each true task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.simulator.results.model import Results

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
    titles = {name: results.tasks[name].title if name in results.tasks else name.replace("_", " ") for name in names}
    rows = tuple(
        (titles[name], sum(table[name].values()), _cells(name, table[name], names)) for name in names if name in table
    )
    return Confusion(tuple(titles.values()), rows)


def _cells(true: str, counts: Mapping[str, int], names: Sequence[str]) -> tuple[ConfusionCell, ...]:
    total = max(1, sum(counts.values()))
    shares = {name: counts.get(name, 0) / total for name in names}
    shades = {name: max(1, round(SHADES * share)) if share else 0 for name, share in shares.items()}
    return tuple(ConfusionCell(counts.get(name, 0), shares[name], shades[name], name == true) for name in names)
