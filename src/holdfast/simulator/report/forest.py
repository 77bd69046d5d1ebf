"""Intervals as small drawings in table cells: a line from low to high, a dot at the mean, a rule at the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from holdfast.simulator.report.axes import Axis, fitted
from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.report.values import Estimate, number


@dataclass(frozen=True, slots=True)
class IntervalStrip:
    """One estimate; positions in per cent, None where undefined. ``reference``: of "no difference"."""

    estimate: Estimate
    at: float | None
    lo: float | None
    hi: float | None
    reference: float | None


def strips(estimates: Sequence[Estimate], reference: float) -> list[IntervalStrip]:
    """All on one axis that holds every end and ``reference``."""
    ends = [v for e in estimates for v in (e.mean, e.lo, e.hi) if v is not None]
    axis: Axis = fitted([*ends, reference])

    def at(value: float | None) -> float | None:
        return None if value is None else axis.at(value)

    return [IntervalStrip(e, at(e.mean), at(e.lo), at(e.hi), axis.at(reference)) for e in estimates]


@dataclass(frozen=True, slots=True)
class ForestRow:
    """Two candidates on the same people: a minus b in one metric."""

    a: Series | None
    b: Series | None
    names: tuple[str, str]
    strip: IntervalStrip
    n: float | None
    p: float | None  # corrected for the number of comparisons (Holm 1979), None where not computed


def pairs_by_metric(results: Mapping[str, Any], cast: Palette) -> list[tuple[str, list[ForestRow]]]:
    """(metric, pairs) in the order of the results; one axis per metric, 0 its reference."""
    raw = sorted(results.get("pairwise") or (), key=_metric_order(results))
    tables = []
    for metric, group in groupby(raw, key=lambda p: str(p.get("metric"))):
        rows = list(group)
        drawn = strips([Estimate.of(row) for row in rows], 0.0)
        pairs = [
            ForestRow(
                cast.get(row["a"]),
                cast.get(row["b"]),
                (str(row["a"]), str(row["b"])),
                strip,
                number(row.get("n")),
                number(row.get("p_holm")),
            )
            for row, strip in zip(rows, drawn, strict=True)
        ]
        tables.append((metric, pairs))
    return tables


def _metric_order(results: Mapping[str, Any]) -> Any:
    metrics = list(dict.fromkeys(str(p.get("metric")) for p in results.get("pairwise") or ()))
    return lambda pair: metrics.index(str(pair.get("metric")))
