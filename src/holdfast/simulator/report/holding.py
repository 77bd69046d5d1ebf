"""Does it hold? What the section shows of each candidate: verdict, slopes, change point, bounds, repetition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.simulator.measure.decay.holds import HoldsResults
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.report.axes import Axis
from holdfast.simulator.report.forest import IntervalStrip, strips
from holdfast.simulator.report.lines import LineChart, line_chart
from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.results.candidate_model import HoldingResults
from holdfast.simulator.results.model import Results

SHARE = Axis(0, 1, (0, 0.5, 1), 1)
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


SLOPES = (
    "All turns",
    "Reply length held equal",
    "Without the closing turns",
    "Without closing, length held equal",
)


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """One candidate. ``slopes``: change in ten turns; of all turns, the same beside length, both without closing."""

    series: Series
    results: HoldingResults
    change: IntervalStrip
    slopes: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True)
class HoldingView:
    """Everything that the section draws; ``rows`` empty where nothing was measured.

    ``terms``: any candidate's verdict, whose tests say what they were held against; ``slopes``: place in a row's slopes
    to heading, of those that any candidate has.
    """

    rows: tuple[HoldingRow, ...]
    terms: HoldsResults | None
    closing: float | None
    slopes: Mapping[int, str]
    anyone_left: bool
    bounds: LineChart
    repetition: tuple[LineChart, ...]


def holding_view(results: Results, palette: Palette, turns: int) -> HoldingView:
    """Draw what was measured of every candidate's holding."""
    parts = [(series, results.candidates[series.name].holding) for series in palette.series]
    drawn = strips([part.holds.change.estimate for _, part in parts], 0.0)
    rows = tuple(HoldingRow(s, part, strip, _slopes(part)) for (s, part), strip in zip(parts, drawn, strict=True))
    return HoldingView(
        rows=rows,
        terms=next((part.holds for _, part in parts), None),
        closing=next((part.mixed_slope.closing_turns for _, part in parts), None),
        slopes={
            index: heading
            for index, heading in enumerate(SLOPES)
            if any(row.slopes[index].mean is not None for row in rows)
        },
        anyone_left=any(part.leaving.left for _, part in parts),
        bounds=_bounds(parts, turns),
        repetition=tuple(_repeated(parts, turns, *what) for what in REPEATED),
    )


def _slopes(part: HoldingResults) -> tuple[Estimate, ...]:
    of = part.mixed_slope
    slopes = (of.all_turns, of.all_turns_beside_length, of.without_closing, of.without_closing_beside_length)
    return tuple(slope.times(10) for slope in slopes)


def _bounds(parts: Sequence[tuple[Series, HoldingResults]], turns: int) -> LineChart:
    """Line: all who left had broken; the band reaches up to: they would have fared as those who stayed."""
    lines = []
    for series, part in parts:
        upper = {point.turn: point.share for point in part.leaving.survival_leaving_as_censoring}
        points = [
            point.model_copy(update={"lo": point.share, "hi": upper.get(point.turn)})
            for point in part.leaving.survival_leaving_as_event
        ]
        lines.append((series, points))
    return line_chart(
        "bounds",
        "Conversations that have not broken, if leaving is taken for breaking",
        "Share of conversations that have not broken, counting every user who left as a violation; bands reach up "
        "to the share if those who left would have fared as those who stayed.",
        lines,
        turns=turns,
        y=SHARE,
        height=220,
        steps=True,
        y_label="share unbroken",
    )


def _repeated(
    parts: Sequence[tuple[Series, HoldingResults]], turns: int, name: str, title: str, desc: str
) -> LineChart:
    lines = [(series, getattr(part.repetition, f"{name}_by_turn")) for series, part in parts]
    return line_chart(
        f"repeat-{name}", title, f"{desc} By turn, with 95 % bands.", lines, turns=turns, y=SHARE, height=190
    )
