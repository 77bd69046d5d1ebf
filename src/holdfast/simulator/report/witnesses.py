"""Other raters: each witness's curve and figures beside those of the primary rater."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.simulator.report.lines import LineChart, line_chart
from holdfast.simulator.report.series import Series
from holdfast.simulator.results.candidate_model import AgreementResults, CandidateResults, WitnessResults
from holdfast.simulator.results.model import RaterInfo, Results


@dataclass(frozen=True, slots=True)
class WitnessView:
    """One witness. ``rows``: per candidate, what the primary rater's results say and what the witness's do."""

    rater: RaterInfo
    chart: LineChart
    rows: tuple[tuple[Series, CandidateResults, WitnessResults], ...]
    agreement: tuple[AgreementResults, ...]


def witness_views(
    results: Results, rows: Sequence[tuple[Series, CandidateResults]], turns: int
) -> tuple[WitnessView, ...]:
    """Draw every witness, in the order of the study's raters."""
    return tuple(_view(rater, results, rows, turns) for rater in results.raters if rater.role == "witness")


def _view(
    rater: RaterInfo, results: Results, rows: Sequence[tuple[Series, CandidateResults]], turns: int
) -> WitnessView:
    seen = tuple((series, part, part.witnesses[rater.name]) for series, part in rows)
    chart = line_chart(
        f"witness-{results.raters.index(rater)}",
        f"Adherence by turn, rated by {rater.name}",
        f"Mean adherence at each turn as {rater.name} rates it, one line per candidate, with 95 % bands.",
        [(series, witness.adherence_by_turn) for series, _, witness in seen],
        turns=turns,
        height=260,
        y_label="adherence",
    )
    agreement = tuple(row for row in results.agreement if row.witness == rater.name)
    return WitnessView(rater, chart, seen, agreement)
