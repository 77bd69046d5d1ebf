"""``holdfast plan``: what a study will take, before it is run overnight."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.simulator.cli.console import Output, console, output_options, print_table

if TYPE_CHECKING:
    from holdfast.simulator.runtime.rehearsal import Forecast


@click.command(
    epilog="""\b
Examples:
  holdfast plan study.yaml
  holdfast plan study.yaml --no-rehearsal           counts only, nothing is loaded
  holdfast plan study.yaml --turns 8 --json | jq .hours

Prices stand at a model in the study: 'prices: {prompt: …, completion: …}', US dollars per million tokens."""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--rehearsal/--no-rehearsal", default=True, show_default=True, help="Hold a few short conversations.")
@click.option("--turns", type=click.IntRange(1, 50), default=4, show_default=True, help="Turns of each of them.")
@output_options
def plan(study: Path, rehearsal: bool, turns: int, output: Output) -> None:
    """Say what STUDY comes to: conversations, turns, tokens, hours and money.

    A rehearsal holds eight short conversations of each candidate in a scratch folder that is removed again. Its pace
    and its tokens are carried over to the whole study; both are estimates.
    """
    from holdfast.simulator.api import Study

    if rehearsal:
        output.note("rehearsing a few short conversations")
    result = Study.from_yaml(study).plan(rehearse=rehearsal, turns=turns)
    output.show(asdict(result), lambda: _show(result))


def _show(result: Forecast) -> None:
    rows = [
        [each.name, *map(_count, (each.conversations, each.turns, each.prompt_tokens, each.completion_tokens))]
        for each in result.candidates
    ]
    rows.append(["all", f"{result.conversations:,}", f"{result.turns:,}", *_totals(result)])
    print_table(["candidate", "conversations", "turns", "prompt tokens", "reply tokens"], rows, numbers=range(1, 5))
    lines = []
    if result.hours is not None:
        lines.append(f"time   {_time(result.hours)}")
    if result.cost_usd is not None:
        lines.append(f"money  about {result.cost_usd:,.2f} US dollars")
    for line in [*lines, *result.notes]:
        console().print(line, markup=False, highlight=False)


def _totals(result: Forecast) -> list[str]:
    columns = zip(*((each.prompt_tokens, each.completion_tokens) for each in result.candidates), strict=True)
    return [_count(sum(value or 0 for value in column) if any(column) else None) for column in columns]


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _time(hours: float) -> str:
    minutes = round(60 * hours)
    if minutes >= 60:
        return f"about {hours:.1f} hours"
    return f"about {minutes} minutes" if minutes > 1 else "about a minute"
