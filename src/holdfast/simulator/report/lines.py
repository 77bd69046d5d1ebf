"""Line charts over turns: bands, gaps where a value is undefined, steps, labels at the ends, the numbers as a table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from holdfast.simulator.measure.decay.survival import SurvivalPoint
from holdfast.simulator.measure.estimates import TurnEstimate
from holdfast.simulator.report.axes import Axis, fitted, spread_labels, turn_axis
from holdfast.simulator.report.series import Series
from holdfast.simulator.report.values import UNDEFINED, fixed

Point = tuple[float, float]
LABEL_GAP = 17.0  # px between the baselines of two labels


ChartPoint = TurnEstimate | SurvivalPoint


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """What one candidate's line is drawn from; positions in per cent, ``label_y`` in px from the top."""

    series: Series
    path: str
    band: str
    dots: tuple[Point, ...]
    end: Point | None
    label_y: float | None = None


@dataclass(frozen=True, slots=True)
class LineChart:
    """A whole chart. ``rows``: (turn, position of the turn, one text per curve), the numbers behind the picture."""

    id: str
    title: str
    desc: str
    height: int  # px
    x: Axis
    y: Axis
    curves: tuple[DrawnLine, ...]
    rows: tuple[tuple[int, float, tuple[str, ...]], ...]
    spans: tuple[tuple[float, float, str], ...] = field(default=())
    y_label: str = ""

    @property
    def drawn(self) -> bool:
        """Whether there is anything to see."""
        return any(curve.end is not None for curve in self.curves)


def line_chart(
    id: str,
    title: str,
    desc: str,
    points: Sequence[tuple[Series, Sequence[ChartPoint]]],
    *,
    turns: int,
    y: Axis | None = None,
    floor: float = 0.0,
    ceiling: float = 1.0,
    height: int = 340,
    steps: bool = False,
    quarters: bool = False,
    y_label: str = "",
) -> LineChart:
    """A chart of ``points``: a line per series.

    ``floor`` and ``ceiling`` bound an axis that is fitted to means and bands; ``y`` fixes it instead.
    """
    numbers = [{p.turn: _text(p) for p in line} for _, line in points]
    seen_turns = sorted({turn for line in numbers for turn in line})
    x = turn_axis(turns, first=min([1, *seen_turns]))
    if y is None:
        seen = [value for _, line in points for p in line for value in (p.mean, p.lo, p.hi)]
        y = fitted((v for v in seen if v is not None), floor, ceiling)
    curves = [_curve(series, line, x, y, steps=steps) for series, line in points]
    ended = [i for i, c in enumerate(curves) if c.end is not None]
    places = spread_labels([c.end[1] * height / 100 for c in curves if c.end is not None], LABEL_GAP, 4, height - 4)
    labels = dict(zip(ended, places, strict=True))
    curves = [DrawnLine(c.series, c.path, c.band, c.dots, c.end, labels.get(i)) for i, c in enumerate(curves)]
    rows = tuple((t, x.at(t), tuple(line.get(t, UNDEFINED) for line in numbers)) for t in seen_turns)
    spans = _quarters(x, turns) if quarters and turns >= 4 else ()
    return LineChart(id, title, desc, height, x, y, tuple(curves), rows, spans, y_label)


def _curve(series: Series, line: Sequence[ChartPoint], x: Axis, y: Axis, *, steps: bool) -> DrawnLine:
    line = sorted(line, key=lambda p: p.turn)
    places = [None if p.mean is None else (x.at(p.turn), y.down(p.mean)) for p in line]
    traces = [[place for place in run if place] for known, run in groupby(places, key=bool) if known]
    path = " ".join(_trace(trace, steps) for trace in traces if len(trace) > 1)
    dots = tuple(trace[0] for trace in traces if len(trace) == 1)
    bands = [None if p.lo is None or p.hi is None else (x.at(p.turn), y.down(p.lo), y.down(p.hi)) for p in line]
    bounded = [[place for place in run if place] for known, run in groupby(bands, key=bool) if known]
    band = " ".join(_band(run, steps) for run in bounded if len(run) > 1)
    return DrawnLine(series, path, band, dots, traces[-1][-1] if traces else None)


def _trace(trace: Sequence[Point], steps: bool) -> str:
    first, *rest = trace
    draw = "".join(f"H{px}V{py}" if steps else f"L{px} {py}" for px, py in rest)
    return f"M{first[0]} {first[1]}{draw}"


def _band(run: Sequence[tuple[float, float, float]], steps: bool) -> str:
    upper, lower = [(px, hi) for px, _, hi in run], [(px, lo) for px, lo, _ in run]
    if steps:
        back = "".join(f"V{low}H{px}" for px, low in reversed(lower[:-1]))
        return f"{_trace(upper, True)}V{lower[-1][1]}{back}Z"
    return _trace(upper, False) + "".join(f"L{px} {py}" for px, py in reversed(lower)) + "Z"


def _text(p: ChartPoint) -> str:
    limits = f" [{fixed(p.lo)}, {fixed(p.hi)}]" if p.lo is not None and p.hi is not None else ""
    if isinstance(p, TurnEstimate) and p.reason:
        limits = f" [{p.reason}]"
    return f"{fixed(p.mean)}{limits} n={p.n}"


def _quarters(x: Axis, turns: int) -> tuple[tuple[float, float, str], ...]:
    quarter = max(1, turns // 4)
    return (
        (x.at(1), x.at(quarter), "first quarter"),
        (x.at(turns - quarter + 1), x.at(turns), "last quarter"),
    )
