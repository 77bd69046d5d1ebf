"""``python tests/launch.py tests.bench [--json] [--only GROUP]``: how fast, as ratios of CPU time on one thread.

Those a busy machine hardly moves. Wall-clock time (some rows have it, and say so) would not do: beside a program that
keeps all cores busy, the same work was seen to take 2 to 12 times its CPU time from one minute to the next.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.table import Table

from tests.bench import beside as neighbours
from tests.bench import endpoint, local_engine, long_batch, orchestration, real_model, training
from tests.bench.measure import Measure

GROUPS: dict[str, Callable[[Path], list[Measure]]] = {
    "langchain": lambda scratch: langchain(),
    "local": local_engine.measures,
    "engine": orchestration.measures,
    "endpoint": endpoint.measures,
    "beside": neighbours.measures,
    "batch": long_batch.measures,
    "smollm2": real_model.measures,
    "training": training.measures,
}


def langchain(conversations: int = 2) -> list[Measure]:
    """Beside LangChain's Hugging Face chat model, where it is installed (the extra ``bench``)."""
    if importlib.util.find_spec("langchain_huggingface") is None:
        return []
    from tests.bench.beside_langchain import measures

    return measures(conversations)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--only", type=click.Choice(list(GROUPS)), multiple=True, help="Only these groups.")
@click.option("--rows", default=real_model.ROWS, show_default=True, help="Conversations at once of the group smollm2.")
@click.option("--turns", default=real_model.TURNS, show_default=True, help="Turns of a conversation of that group.")
@click.option(
    "--beside", type=click.Choice(real_model.BESIDE), multiple=True, help="What that group is held against; all."
)
def main(as_json: bool, only: tuple[str, ...], rows: int, turns: int, beside: tuple[str, ...]) -> None:
    """Measure speed. A ratio above 1 is faster (or smaller) than what stands beside it."""
    torch.set_num_threads(1)
    held = beside or real_model.BESIDE
    groups = GROUPS | {"smollm2": partial(real_model.measures, rows=rows, turns=turns, beside=held)}
    measured: list[Measure] = []
    for group in only or GROUPS:
        with tempfile.TemporaryDirectory() as scratch:
            measured += groups[group](Path(scratch))
    if as_json:
        click.echo(json.dumps([as_dict(measure) for measure in measured], indent=2))
        return
    table = Table("what", "takes", "against", "takes", "ratio", "goal")
    for row in measured:
        numbers = f"{row.seconds:.2f} {row.unit}", f"{row.against_seconds:.2f} {row.unit}"
        table.add_row(row.name, numbers[0], row.against, numbers[1], f"{row.ratio:.2f}", row.goal)
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def as_dict(measure: Measure) -> dict[str, object]:
    return {
        "name": measure.name,
        "takes": measure.seconds,
        "against": measure.against,
        "against_takes": measure.against_seconds,
        "unit": measure.unit,
        "ratio": measure.ratio,
        "goal": measure.goal,
    }


if __name__ == "__main__":
    main()
