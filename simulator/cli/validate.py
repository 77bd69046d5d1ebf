"""``holdfast validate``: a rater beside people."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from simulator.cli.console import output_options, print_json, print_table


@click.group(
    epilog="\b\nExamples:\n  holdfast validate linear\n  holdfast validate linear --json --data ../shared/data"
)
def validate() -> None:
    """Hold a rater against human labels."""


@validate.command(
    epilog="\b\nExamples:\n  holdfast validate linear\n  holdfast validate linear --json > agreement.json\n"
    "  HOLDFAST_DATA=~/labels holdfast validate linear\n\n"
    "The labels are other people's data and not part of holdfast: --data, else HOLDFAST_DATA, else ../shared/data."
)
@click.option("--data", type=click.Path(path_type=Path), help="Folder that holds the labelled data sets.")
@output_options
def linear(data: Path | None, as_json: bool, quiet: bool) -> None:
    """The linear rater on the EPITOME replies that three experts judged.

    Quadratic-weighted kappa with the median of the experts: 1 is agreement, 0 is chance. Beside it the crowd, GPT,
    Claude, each expert against the other two, and a baseline that knows only how long a reply is.
    """
    from agents.raters import LinearRater
    from simulator.validation.epitome import NOTES, agreement_table, continuous_table
    from simulator.validation.folder import data_folder
    from simulator.validation.judged_epitome import read_judged_epitome

    judged, rater = read_judged_epitome(data_folder(data)), LinearRater()
    scores = rater.score(judged.exchanges)
    table = agreement_table(judged, scores, rater.id)
    if as_json:
        about = {"id": rater.id, "version": rater.version, "continuous": continuous_table(judged, scores)}
        print_json(_without_nan({"epitome": table, "rater": about, "notes": NOTES}))
    elif not quiet:
        _show(table, NOTES)


def _show(table: dict[str, dict[str, dict[str, float]]], notes: dict[str, str]) -> None:
    people = list(next(iter(table.values())))
    rows = [[who, *(_cell(by[who]) for by in table.values())] for who in people]
    print_table(["annotator", *(name.replace("_", " ") for name in table)], rows)
    counts = {str(one["n"]) for by in table.values() for one in by.values()}
    click.echo(f"\nQuadratic-weighted kappa [95 % interval], {' or '.join(sorted(counts))} replies.")
    for name, note in notes.items():
        click.echo(f"{name}: {note}")


def _cell(one: dict[str, float]) -> str:
    return "undefined" if math.isnan(one["qwk"]) else f"{one['qwk']:5.2f} [{one['lo']:5.2f}, {one['hi']:5.2f}]"


def _without_nan(value: Any) -> Any:
    """nan has no place in JSON: null."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
