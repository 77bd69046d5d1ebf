"""Does it hold? What the section shows of each candidate: verdict, slopes, change point, bounds, repetition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.simulator.report.axes import Axis
from holdfast.simulator.report.forest import IntervalStrip, strips
from holdfast.simulator.report.lines import LineChart, line_chart
from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.report.values import Estimate, number

SHARE = Axis(0, 1, (0, 0.5, 1), 1)
SLOPES = ("all_turns", "all_turns_beside_length", "without_closing", "without_closing_beside_length")
REPEATED = (
    (
        "same_tactics",
        "Same tactics as the turn before",
        "Share of replies that show exactly the mechanisms of the last.",
    ),
    (
        "template_share",
        "Cut from a template",
        "Share of replies that hold one of the candidate's ten commonest phrases.",
    ),
    ("self_similarity", "Like what was said before", "Mean likeness of a reply's word pairs to all earlier replies."),
)


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """One candidate. ``slopes``: change in ten turns, in the order of ``SLOPES``; ``note``: why there is no verdict."""

    series: Series
    verdict: str
    change: IntervalStrip
    slopes: tuple[Estimate, ...]
    change_point: Estimate
    before: float | None
    after: float | None
    point_note: str
    half_life: Estimate
    floor: Estimate
    left: float | None
    judged: float | None
    note: str


@dataclass(frozen=True, slots=True)
class HoldingView:
    """Everything that the section draws; ``rows`` empty where nothing was measured."""

    rows: tuple[HoldingRow, ...]
    margin: float | None
    closing: float | None
    anyone_left: bool
    bounds: LineChart
    repetition: tuple[LineChart, ...]


def holding_view(results: Mapping[str, Any], people: Palette, turns: int) -> HoldingView:
    """Read ``holding`` of every candidate; results of an older version simply have none."""
    found = [(s, results["candidates"][s.name].get("holding") or {}) for s in people.series]
    found = [(s, one) for s, one in found if one]
    drawn = strips([_change(one) for _, one in found], 0.0)
    rows = tuple(_row(s, one, strip) for (s, one), strip in zip(found, drawn, strict=True))
    first = found[0][1] if found else {}
    return HoldingView(
        rows=rows,
        margin=number(_at(first, "equivalence", "margin")),
        closing=number(_at(first, "mixed_slope", "closing_turns")),
        anyone_left=any(row.left for row in rows),
        bounds=_bounds(found, turns),
        repetition=tuple(_repeated(found, turns, *what) for what in REPEATED),
    )


def _at(found: Mapping[str, Any], *keys: str) -> Any:
    value: Any = found
    for key in keys:
        value = (value or {}).get(key)
    return value


def _change(found: Mapping[str, Any]) -> Estimate:
    raw = _at(found, "equivalence") or {}
    return Estimate(number(raw.get("change")), number(raw.get("lo")), number(raw.get("hi")))


def _row(series: Series, found: Mapping[str, Any], strip: IntervalStrip) -> HoldingRow:
    point = _at(found, "change_point") or {}
    return HoldingRow(
        series=series,
        verdict=str(_at(found, "equivalence", "verdict") or "undefined"),
        change=strip,
        slopes=tuple(_in_ten(Estimate.of(_at(found, "mixed_slope", name))) for name in SLOPES),
        change_point=Estimate(number(point.get("turn")), number(point.get("lo")), number(point.get("hi"))),
        before=number(point.get("before")),
        after=number(point.get("after")),
        point_note=str(point.get("note") or ""),
        half_life=Estimate.of(_at(found, "exponential", "half_life")),
        floor=Estimate.of(_at(found, "exponential", "floor")),
        left=number(_at(found, "leaving", "left")),
        judged=number(_at(found, "leaving", "n")),
        note=str(_at(found, "equivalence", "note") or ""),
    )


def _in_ten(slope: Estimate) -> Estimate:
    return Estimate(*(None if v is None else 10 * v for v in (slope.mean, slope.lo, slope.hi)))


def _bounds(found: Sequence[tuple[Series, Mapping[str, Any]]], turns: int) -> LineChart:
    """Line: all who left had broken; the band reaches up to: they would have fared as those who stayed."""
    lines = []
    for series, one in found:
        upper = {p["turn"]: p["share"] for p in _at(one, "leaving", "survival_leaving_as_censoring") or ()}
        lower = _at(one, "leaving", "survival_leaving_as_event") or ()
        points = [
            {"turn": p["turn"], "share": p["share"], "lo": p["share"], "hi": upper.get(p["turn"]), "n": p["at_risk"]}
            for p in lower
        ]
        lines.append((series, points))
    return line_chart(
        "bounds",
        "Conversations that still hold, if leaving is taken for breaking",
        "Share of conversations that still hold, counting every user who left as a violation; bands reach up to the "
        "share if those who left would have fared as those who stayed.",
        lines,
        turns=turns,
        value="share",
        y=SHARE,
        height=220,
        steps=True,
        y_label="share that still holds",
    )


def _repeated(
    found: Sequence[tuple[Series, Mapping[str, Any]]], turns: int, name: str, title: str, desc: str
) -> LineChart:
    lines = [(series, _at(one, "repetition", f"{name}_by_turn") or ()) for series, one in found]
    return line_chart(
        f"repeat-{name}", title, f"{desc} By turn, with 95 % bands.", lines, turns=turns, y=SHARE, height=190
    )
