"""The last screen of a run: what each candidate did, in one table, and where the report lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.simulator.cli.console import console, print_table

#: Turns whose adherence is shown, as far as the study reaches; its last turn too.
SHOWN_TURNS = (1, 8, 16, 24, 50, 100)
UNDEFINED = "-"


def print_summary(results: Mapping[str, Any], out: Path) -> None:
    """Print the headline, the table of candidates, and the report's path."""
    turns = sorted({*(turn for turn in SHOWN_TURNS if turn <= results["turns"]), results["turns"]})
    columns = ["candidate", *(f"turn {turn}" for turn in turns), "retention [95 %]", "gap", "gap reduction [95 %]"]
    rows = [
        [
            name,
            *(_at(candidate, turn) for turn in turns),
            _interval(candidate["retention"]),
            _number(candidate["gap_abs"]["mean"]),
            _interval(candidate["gap_reduction"]),
        ]
        for name, candidate in results["candidates"].items()
    ]
    console().print(f"\n{results['headline']}\n", markup=False)
    print_table(columns, rows, numbers=range(1, len(columns)))
    unfinished, failed = results["unfinished_episodes"], results["failed_episodes"]
    if unfinished:
        which = f"{unfinished} of {results['episodes']} conversations are unfinished"
        console().print(f"\nNot over yet: {which}; figures may still move.")
    if failed:
        console().print(f"\n{failed} of {results['episodes']} conversations failed; their causes stand in the journal.")
    for line in played_by(results):
        console().print(f"\n{line}", markup=False)
    console().print(f"\nreport   {out / 'report.html'}\nresults  {out / 'results.json'}", markup=False)


def played_by(results: Mapping[str, Any]) -> list[str]:
    """A line for each model that played users: how much of what it did was its own."""
    lines = []
    for name, simulator in (results.get("simulators") or {}).items():
        model = simulator["model"]
        if model is not None and model["messages"] and model["judgements"]:
            words = 1 - model["stand_in_messages"] / model["messages"]
            judgements = 1 - model["stand_in_judgements"] / model["judgements"]
            lines.append(
                f"users played by {name}: {words:.0%} of the messages and {judgements:.0%} of the judgements are the "
                "model's own; rules stood in for the rest"
            )
    return lines


def _at(candidate: Mapping[str, Any], turn: int) -> str:
    return _number(next((row["mean"] for row in candidate["adherence_by_turn"] if row["turn"] == turn), None))


def _interval(value: Mapping[str, Any]) -> str:
    if value["mean"] is None:
        return UNDEFINED
    return f"{_number(value['mean'])} [{_number(value['lo'])}, {_number(value['hi'])}]"


def _number(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.2f}"
