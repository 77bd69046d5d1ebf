"""The last screen of a run: what each candidate did, in one table, and where the report lies."""

from pathlib import Path

from holdfast.simulator.cli.console import console, print_table
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.results.candidate_model import CandidateResults
from holdfast.simulator.results.model import Results

#: Turns whose adherence is shown, as far as the study reaches; its last turn too.
SHOWN_TURNS = (1, 8, 16, 24, 50, 100)


def print_summary(results: Results, out: Path) -> None:
    """Print the headline, the table of candidates, and the report's path."""
    turns = sorted({*(turn for turn in SHOWN_TURNS if turn <= results.turns), results.turns})
    columns = [
        "candidate",
        *(f"turn {turn}" for turn in turns),
        "retention [95 %]",
        "gap",
        "gap reduction [95 %]",
        "goals",
    ]
    rows = [
        [
            name,
            *(_at(candidate, turn) for turn in turns),
            _interval(candidate.retention),
            _number(candidate.gap_abs.mean),
            _interval(candidate.gap_reduction),
            _number(candidate.goals.served.mean if candidate.goals else None),
        ]
        for name, candidate in results.candidates.items()
    ]
    console().print(f"\n{results.headline}\n", markup=False)
    print_table(columns, rows, numbers=range(1, len(columns)))
    if results.unfinished_episodes:
        which = f"{results.unfinished_episodes} of {results.episodes} conversations are unfinished"
        console().print(f"\nNot over yet: {which}; figures may still move.")
    if results.failed_episodes:
        which = f"{results.failed_episodes} of {results.episodes} conversations failed"
        console().print(f"\n{which}; their causes stand in the journal.")
    for line in played_by(results):
        console().print(f"\n{line}", markup=False)
    console().print(f"\nreport   {out / 'report.html'}\nresults  {out / 'results.json'}", markup=False)


def played_by(results: Results) -> list[str]:
    """A line for each model that played users: how much of what it did was its own."""
    models = {name: simulator.model for name, simulator in (results.simulators or {}).items()}
    return [
        f"users played by {name}: {model.own_messages:.0%} of the messages and {model.own_judgements:.0%} of the "
        "judgements are the model's own; rules stood in for the rest"
        for name, model in models.items()
        if model is not None and model.messages and model.judgements
    ]


def _at(candidate: CandidateResults, turn: int) -> str:
    return _number(next((point.mean for point in candidate.adherence_by_turn if point.turn == turn), None))


def _interval(value: Estimate) -> str:
    return "-" if value.mean is None else f"{_number(value.mean)} [{_number(value.lo)}, {_number(value.hi)}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
