"""Intervals as small drawings in table cells: a line from low to high, a dot at the mean, a rule at the reference."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.measure.pairwise import Family, Metric, PairResults
from holdfast.simulator.report.axes import fitted
from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.results.model import Results


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
    """Two candidates on the same people: a minus b in one metric, and how both are drawn."""

    a: Series
    b: Series
    strip: IntervalStrip
    pair: PairResults


@dataclass(frozen=True, slots=True)
class ForestTable:
    """Pairs that were tested together, on one axis with 0 as its reference."""

    metric: Metric
    family: Family
    rows: tuple[ForestRow, ...]


def pair_tables(results: Results, palette: Palette) -> list[ForestTable]:
    """Draw the pairs, a table for each metric and family, in the order of the results."""
    tables = []
    for metric, family in dict.fromkeys((pair.metric, pair.family) for pair in results.pairwise):
        pairs = [pair for pair in results.pairwise if (pair.metric, pair.family) == (metric, family)]
        drawn = zip(pairs, strips(pairs, 0.0), strict=True)
        rows = tuple(ForestRow(palette[pair.a], palette[pair.b], strip, pair) for pair, strip in drawn)
        tables.append(ForestTable(metric, family, rows))
    return tables
