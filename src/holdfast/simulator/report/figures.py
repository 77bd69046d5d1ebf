"""The figures of the page, in their order; a new one is a function here or in a module of its own, and a line below."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from holdfast.agents.raters.protocol import EXPRESSED
from holdfast.simulator.measure.estimates import Curve, TurnEstimate
from holdfast.simulator.report.axes import SHARE, Axis, levels_axis
from holdfast.simulator.report.forest import pair_tables
from holdfast.simulator.report.gap import gap_rows
from holdfast.simulator.report.goals import goals_view
from holdfast.simulator.report.holding import holding_view
from holdfast.simulator.report.labels import labels_view
from holdfast.simulator.report.lines import LineChart, line_chart
from holdfast.simulator.report.network import network
from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.report.simulators import simulators
from holdfast.simulator.report.witnesses import witness_views
from holdfast.simulator.results.candidate_model import CandidateResults
from holdfast.simulator.results.model import Results

Rows = list[tuple[Series, CandidateResults]]


@dataclass(frozen=True, slots=True)
class PageData:
    """What figures draw from. ``names``: persona's id to its name."""

    results: Results
    palette: Palette
    names: Mapping[str, str]

    @property
    def rows(self) -> Rows:
        """Each candidate's series and results, in the order of the palette."""
        return [(series, self.results.candidates[series.name]) for series in self.palette.series]

    @property
    def turns(self) -> int:
        """Length of the turn axis."""
        curves = (candidate.adherence_by_turn for candidate in self.results.candidates.values())
        return max([self.results.turns, *(point.turn for curve in curves for point in curve)])


@dataclass(frozen=True, slots=True)
class Figure:
    """A section: ``templates/NAME.html.jinja`` shows what ``view`` makes under that name; None leaves it out."""

    name: str
    title: str
    view: Callable[[PageData], object | None]


def decay(page: PageData) -> LineChart:
    """Draw adherence by turn."""
    return line_chart(
        "decay",
        "Adherence by turn",
        "Mean adherence to the expected empathy pattern at each turn, one line per candidate, with 95 % bands.",
        [(series, part.adherence_by_turn) for series, part in page.rows],
        turns=page.turns,
        height=380,
        quarters=True,
        y_label="adherence",
    )


def mechanisms(page: PageData) -> list[tuple[str, LineChart, LineChart]] | None:
    """(dimension of the first rater's scale, its level, error against the target) by turn."""
    scale = page.results.raters[0].scale
    names, what_level = scale.dimensions, "expressed level" if scale.id == EXPRESSED.id else "level"
    levels: list[dict[str, Curve]] = [part.mechanism_by_turn for _, part in page.rows]
    errors: list[dict[str, Curve]] = [part.mechanism_error_by_turn for _, part in page.rows]
    charts = []
    for kind, what, parts in (("level", what_level, levels), ("error", "distance from the target", errors)):
        lines = {m: [(row[0], part[m]) for row, part in zip(page.rows, parts, strict=True)] for m in names}
        y = levels_axis([part[m] for part in parts for m in names], scale, distances=kind == "error")
        charts.append([_mechanism(m, kind, what, lines[m], y=y, turns=page.turns) for m in names])
    views = list(zip(names, *charts, strict=True))
    return views if any(level.drawn or error.drawn for _, level, error in views) else None


def _mechanism(
    mechanism: str, kind: str, what: str, lines: Sequence[tuple[Series, Curve]], *, y: Axis, turns: int
) -> LineChart:
    plain = mechanism.replace("_", " ")
    return line_chart(
        f"{kind}-{mechanism}",
        f"{plain.capitalize()}: {what}",
        f"{what.capitalize()} of {plain} at each turn, one line per candidate, with 95 % bands.",
        lines,
        turns=turns,
        y=y,
        height=190,
    )


def survival(page: PageData) -> LineChart | None:
    """Draw the share of conversations whose pattern still holds."""
    chart = line_chart(
        "survival",
        "Conversations that have not broken",
        "Kaplan-Meier share of conversations without a lasting violation of the pattern, by turn, per candidate.",
        [(series, part.survival) for series, part in page.rows],
        turns=page.turns,
        y=SHARE,
        height=300,
        steps=True,
        y_label="share unbroken",
    )
    return chart if chart.drawn else None


def routing(page: PageData) -> LineChart | None:
    """Draw the accuracy of routing by turn."""
    if page.results.router is None:
        return None
    points = page.results.router.accuracy_by_turn
    line = [TurnEstimate(turn=point.turn, mean=point.accuracy, lo=None, hi=None, n=point.n) for point in points]
    return line_chart(
        "routing",
        "Accuracy by turn",
        "Share of turns whose task was recognised correctly, by turn.",
        [(Series("routing accuracy", 0, 1, False), line)],
        turns=page.turns,
        y=SHARE,
        height=220,
        y_label="accuracy",
    )


FIGURES = (
    Figure("decay", "Decay", decay),
    Figure("labels", "Labels", lambda page: labels_view(page.results, page.rows)),
    Figure("goals", "Goals", lambda page: goals_view(page.rows, page.turns, page.results.simulators or {})),
    Figure("holding", "Holding", lambda page: holding_view(page.results, page.palette, page.turns)),
    Figure("mechanisms", "Mechanisms", mechanisms),
    Figure("gap", "Gap", lambda page: gap_rows(page.results, page.palette) or None),
    Figure("survival", "Survival", survival),
    Figure("routing", "Routing", routing),
    Figure("pairs", "Pairs", lambda page: pair_tables(page.results, page.palette) or None),
    Figure("witnesses", "Raters", lambda page: witness_views(page.results, page.rows, page.turns) or None),
    Figure("users", "Users", lambda page: page.results.user_faults),
    Figure("simulators", "Simulators", lambda page: simulators(page.results, page.palette) or None),
    Figure("population", "Population", lambda page: network(page.results, page.names)),
)
