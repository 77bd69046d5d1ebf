"""Intervals as small drawings in table cells: a line from low to high, a dot at the mean, a rule at the reference."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.report.axes import fitted
from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.results.model import Results

ALPHA = 0.05


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
    axis = fitted([*ends, reference])
    at = axis.where
    return [IntervalStrip(e, at(e.mean), at(e.lo), at(e.hi), at(reference)) for e in estimates]


@dataclass(frozen=True, slots=True)
class ForestRow:
    """Two candidates on the same people: a minus b in one metric. ``p``: corrected for the comparisons (Holm 1979)."""

    a: Series
    b: Series
    strip: IntervalStrip
    n: int
    p: float | None

    @property
    def sure(self) -> bool:
        """Whether both the interval and the corrected p show a difference."""
        return self.strip.estimate.excludes_zero and self.p is not None and self.p < ALPHA


def pairs_by_metric(results: Results, palette: Palette) -> list[tuple[str, list[ForestRow]]]:
    """(metric, pairs) in the order of the results; one axis per metric, 0 its reference."""
    tables = []
    for metric in dict.fromkeys(pair.metric for pair in results.pairwise):
        rows = [pair for pair in results.pairwise if pair.metric == metric]
        drawn = zip(rows, strips(rows, 0.0), strict=True)
        tables.append(
            (str(metric), [ForestRow(palette[row.a], palette[row.b], strip, row.n, row.p_holm) for row, strip in drawn])
        )
    return tables
