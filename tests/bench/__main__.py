"""``python -m tests.bench [--json]``: how fast, as ratios of CPU time on one thread, which a busy machine hardly moves.

Wall-clock time (one row has it, and says so) would not: beside a program that keeps all cores busy, the same work was
seen to take 2 to 12 times its CPU time from one minute to the next.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.table import Table
from transformers.utils import logging

from tests.bench import beside_langchain, local_engine


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--whole", is_flag=True, help="Let LangChain's model hold all 32 conversations, not 2 of them.")
def main(as_json: bool, whole: bool) -> None:
    """Measure the local engine. A ratio above 1 is faster than what stands beside it."""
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as scratch:
        measures = [*beside_langchain.measures(32 if whole else 2), *local_engine.measures(Path(scratch))]
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "name": measure.name,
                        "seconds": measure.seconds,
                        "against": measure.against,
                        "against_seconds": measure.against_seconds,
                        "ratio": measure.ratio,
                    }
                    for measure in measures
                ],
                indent=2,
            )
        )
        return
    table = Table("what", "s", "against", "s", "ratio")
    for measure in measures:
        table.add_row(
            measure.name,
            f"{measure.seconds:.2f}",
            measure.against,
            f"{measure.against_seconds:.2f}",
            f"{measure.ratio:.2f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
