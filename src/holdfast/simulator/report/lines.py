"""Line charts over turns: bands, gaps where a value is undefined, steps, labels at the ends, the numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from holdfast.simulator.report.axes import Axis, fitted, spread, turn_axis
from holdfast.simulator.report.series import Series
from holdfast.simulator.report.values import UNDEFINED, fixed, number

Point = tuple[float, float]
LABEL_GAP = 17.0  # px between the baselines of two labels


@dataclass(frozen=True, slots=True)
class Curve:
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
    curves: tuple[Curve, ...]
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
    points: Sequence[tuple[Series, Sequence[Mapping[str, Any]]]],
    *,
    turns: int,
    value: str = "mean",
    size: str = "n",
    y: Axis | None = None,
    floor: float = 0.0,
    ceiling: float = 1.0,
    height: int = 340,
    steps: bool = False,
    quarters: bool = False,
    y_label: str = "",
) -> LineChart:
    """A chart of ``points``: per series the results' list of ``{turn, <value>, lo, hi, <size>}``.

    ``floor`` and ``ceiling`` bound an axis that is fitted to means and bands; ``y`` fixes it instead.
    """
    numbers = [{int(p["turn"]): _text(p, value, size) for p in line} for _, line in points]
    seen_turns = sorted({turn for line in numbers for turn in line})
    x = turn_axis(turns, first=min([1, *seen_turns]))
    if y is None:
        seen = [number(p.get(key)) for _, line in points for p in line for key in (value, "lo", "hi")]
        y = fitted((v for v in seen if v is not None), floor, ceiling)
    curves = [_curve(series, line, x, y, value, steps=steps) for series, line in points]
    ended = [i for i, c in enumerate(curves) if c.end is not None]
    places = spread([c.end[1] * height / 100 for c in curves if c.end is not None], LABEL_GAP, 4, height - 4)
    labels = dict(zip(ended, places, strict=True))
    curves = [Curve(c.series, c.path, c.band, c.dots, c.end, labels.get(i)) for i, c in enumerate(curves)]
    rows = tuple((t, x.at(t), tuple(line.get(t, UNDEFINED) for line in numbers)) for t in seen_turns)
    spans = _quarters(x, turns) if quarters and turns >= 4 else ()
    return LineChart(id, title, desc, height, x, y, tuple(curves), rows, spans, y_label)


def _curve(series: Series, line: Sequence[Mapping[str, Any]], x: Axis, y: Axis, value: str, *, steps: bool) -> Curve:
    line = sorted(line, key=lambda p: p["turn"])
    runs = [list(g) for known, g in groupby(line, key=lambda p: number(p.get(value)) is not None) if known]
    traces = [[(x.at(p["turn"]), y.down(p[value])) for p in run] for run in runs]
    path = " ".join(_trace(trace, steps) for trace in traces if len(trace) > 1)
    dots = tuple(trace[0] for trace in traces if len(trace) == 1)
    bounded = [g for known, g in ((k, list(g)) for k, g in groupby(line, key=_bounded)) if known and len(g) > 1]
    band = " ".join(_band(run, x, y, steps) for run in bounded)
    return Curve(series, path, band, dots, traces[-1][-1] if traces else None)


def _bounded(p: Mapping[str, Any]) -> bool:
    return number(p.get("lo")) is not None and number(p.get("hi")) is not None


def _trace(trace: Sequence[Point], steps: bool) -> str:
    first, *rest = trace
    draw = "".join(f"H{px}V{py}" if steps else f"L{px} {py}" for px, py in rest)
    return f"M{first[0]} {first[1]}{draw}"


def _band(run: Sequence[Mapping[str, Any]], x: Axis, y: Axis, steps: bool) -> str:
    upper = [(x.at(p["turn"]), y.down(p["hi"])) for p in run]
    lower = [(x.at(p["turn"]), y.down(p["lo"])) for p in run]
    if steps:
        back = "".join(f"V{low}H{px}" for px, low in reversed(lower[:-1]))
        return f"{_trace(upper, True)}V{lower[-1][1]}{back}Z"
    return _trace(upper, False) + "".join(f"L{px} {py}" for px, py in reversed(lower)) + "Z"


def _text(p: Mapping[str, Any], value: str, size: str) -> str:
    text = fixed(p.get(value))
    if _bounded(p):
        text += f" [{fixed(p['lo'])}, {fixed(p['hi'])}]"
    return f"{text} n={p[size]}" if number(p.get(size)) is not None else text


def _quarters(x: Axis, turns: int) -> tuple[tuple[float, float, str], ...]:
    quarter = max(1, turns // 4)
    return (
        (x.at(1), x.at(quarter), "first quarter"),
        (x.at(turns - quarter + 1), x.at(turns), "last quarter"),
    )
