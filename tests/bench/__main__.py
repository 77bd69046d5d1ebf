"""``python -m tests.bench [--json]``: how fast, as ratios of CPU time on one thread, which a busy machine hardly moves.

Wall-clock time would not: beside a program that keeps all cores busy, the same work was seen to take 2 to 12 times its
CPU time from one minute to the next.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.table import Table

from tests.bench import local_engine


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(as_json: bool) -> None:
    """Measure the local engine. A ratio above 1 is faster than what stands beside it."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        measures = local_engine.measures(Path(scratch))
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "name": measure.name,
                        "cpu_seconds": measure.seconds,
                        "against": measure.against,
                        "against_cpu_seconds": measure.against_seconds,
                        "ratio": measure.ratio,
                    }
                    for measure in measures
                ],
                indent=2,
            )
        )
        return
    table = Table("what", "CPU s", "against", "CPU s", "ratio")
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
