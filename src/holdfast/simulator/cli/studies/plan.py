"""``holdfast plan`` and ``holdfast power``: what a study will take, and how many personas the next one needs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.simulator.cli.console import FiniteRange, Output, output_options, print_lines, print_table

if TYPE_CHECKING:
    from holdfast.simulator.measure.pairwise import Metric
    from holdfast.simulator.results.next_study import PairPlan
    from holdfast.simulator.runtime.rehearsal import Forecast

METRICS: tuple[Metric, ...] = ("adherence_last_quarter", "adherence")


@click.command(
    epilog="""\b
Examples:
  holdfast plan study.yaml
  holdfast plan study.yaml --no-rehearsal
      (counts only, nothing is loaded)
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
        print_lines(line)


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


@click.command(
    epilog="""\b
Examples:
  holdfast power runs/quickstart
  holdfast power runs/quickstart --difference 0.05 --target 0.9
  holdfast power runs/quickstart --metric adherence \\
      --json | jq .pairs[0].needed

Reads results.json in FOLDER; 'holdfast report FOLDER' makes it."""
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--metric", type=click.Choice(METRICS), default=METRICS[0], show_default=True, help="What candidates differ in."
)
@click.option(
    "--difference",
    type=FiniteRange(0, 1, min_open=True),
    help="The difference to find, in adherence; by default the one that each pair was measured to have.",
)
@click.option(
    "--target",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    default=0.8,
    show_default=True,
    help="Chance of finding it.",
)
@output_options
def power(folder: Path, metric: Metric, difference: float | None, target: float, output: Output) -> None:
    """How many personas does a difference need, by the variance that the run in FOLDER measured?

    For every pair of candidates before the same users: a paired t test on persona means at 5 %, two-sided. More
    conversations of one persona wear down only the variance within personas; that is known where the study had more
    than one of each ('replicates: 2' or more).
    """
    from holdfast.simulator.results.next_study import plan_pairs
    from holdfast.simulator.results.store import read_results

    rows = plan_pairs(read_results(folder), metric, difference, target)
    about = {"metric": metric, "target": target, "alpha": 0.05, "pairs": [row.model_dump() for row in rows]}
    output.show(about, lambda: _show_pairs(rows, metric, target))


def _show_pairs(rows: list[PairPlan], metric: str, target: float) -> None:
    if not rows:
        print_lines("No two candidates met the same users: nothing to plan.")
        return
    needs = [f"needs at {plan.per_persona}" for plan in rows[0].needed]
    columns = ["first", "second", "difference", "power now", "finds", *needs]
    print_table(columns, [_row(row) for row in rows], numbers=range(2, len(columns)))
    print_lines(
        f"\n{metric.replace('_', ' ')}. power now: chance that a study of this size finds the difference. finds: the "
        f"least difference that it finds with {target:.0%}, for a pair tested alone (a report's 'smallest' is for all "
        f"pairs tested together). needs at m: personas for {target:.0%}, with m "
        "conversations each and per candidate."
    )
    notes = dict.fromkeys(row.note for row in rows if row.note)
    if notes:
        print_lines("\n".join(notes))


def _row(row: PairPlan) -> list[str]:
    figures = (row.difference, "+.3f"), (row.power, ".2f"), (row.detectable, ".3f")
    cells = [*figures, *((plan.personas, ",") for plan in row.needed)]
    return [row.a, row.b, *("-" if value is None else format(value, style) for value, style in cells)]
