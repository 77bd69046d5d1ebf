"""``holdfast compare``: what differs between two runs, on the people and replicates that both have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.simulator.cli.console import Output, output_options, print_lines, print_table

if TYPE_CHECKING:
    from holdfast.simulator.comparing.differences import RunDifference, RunsCompared


@click.command(
    epilog="""\b
Examples:
  holdfast compare runs/before runs/after
  holdfast compare runs/small runs/large --json | jq .differences

Two base models under the same study:

\b
  holdfast run study.yaml --out runs/a --model hf:models/a
  holdfast run study.yaml --out runs/b --model hf:models/b
  holdfast compare runs/a runs/b"""
)
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@output_options
def compare(first: Path, second: Path, output: Output) -> None:
    """Compare the run in SECOND with that in FIRST, candidate by candidate.

    For every candidate (by its name) that both have: the difference, SECOND less FIRST, of adherence, of retention and
    of the area under the whole curve per turn, before the people, replicates and lengths that both have, with 95 %
    limits of a bootstrap in which both runs draw the same people. Runs whose simulated people, rater or expected
    patterns differ are refused, and it is said which.
    """
    from holdfast.simulator.comparing.differences import compare_folders

    compared = compare_folders(first, second)
    output.show(lambda: compared.model_dump(mode="json"), lambda: _show(compared))


def _show(compared: RunsCompared) -> None:
    columns = ["candidate", "figure", "first", "second", "second - first [95 %]", "people"]
    print_lines(f"first   {compared.first}\nsecond  {compared.second}\n")
    rows = [
        [each.candidate, each.metric, each.first, each.second, _difference(each), each.people]
        for each in compared.differences
    ]
    print_table(columns, rows, numbers=(2, 3, 4, 5))
    about = "Each interval holds by itself. area: under the whole curve, per turn; retention: last quarter over first."
    print_lines("\n".join([about, *compared.notes]))


def _difference(row: RunDifference) -> str:
    of = row.difference
    if of.mean is None:
        return "-"
    if row.untested:
        return f"{of.mean:+.2f} ({row.untested})"
    if of.reason:
        return f"{of.mean:+.2f} ({of.reason})"
    return f"{of.mean:+.2f} [{of.lo:+.2f}, {of.hi:+.2f}]" if of.bounded else f"{of.mean:+.2f}"
