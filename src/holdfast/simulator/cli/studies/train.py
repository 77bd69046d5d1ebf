"""``holdfast train``: steered dialogues and expert adapters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from holdfast.simulator.cli.console import Output, output_options, print_table


@click.command(
    epilog="""\b
Examples:
  holdfast train examples/stress_test/study.yaml --out runs/experts
  holdfast run study.yaml --out runs/mine      (with adapters: runs/experts/adapters)"""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for dialogues and adapters.")
@output_options
def train(study: Path, out: Path, output: Output) -> None:
    """Write steered dialogues and train one expert adapter per pattern that STUDY asks for."""
    from holdfast.simulator.api import Study

    outcome = Study.from_yaml(study).train(out, quiet=output.quiet)
    output.show(outcome, lambda: _show(outcome, out))


def _show(outcome: Mapping[str, Any], out: Path) -> None:
    rows = []
    for name, adapter in outcome["adapters"].items():
        dialogues = outcome["dialogues"][name]
        kept = "{kept} of {held}".format_map(dialogues["tally"]["dialogues"])
        loss = f"{adapter['final_loss']:.3f}"
        rows.append([name, kept, dialogues["mean_adherence"], loss, out / "adapters" / name])
    print_table(["expert", "dialogues", "adherence", "loss", "folder"], rows, numbers=(1, 2, 3))
    router = outcome["router"]
    click.echo(f"router: accuracy {router['accuracy']:.2f} on held-out personas (n = {router['n']})")
