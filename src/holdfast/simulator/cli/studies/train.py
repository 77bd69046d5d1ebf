"""``holdfast train``: steered dialogues and expert adapters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from holdfast.simulator.cli.console import output_options, print_json, print_table


@click.command(
    epilog="""\b
Examples:
  holdfast train examples/stress_test/study.yaml --out runs/experts
  holdfast run study.yaml --out runs/mine      (with adapters: runs/experts/adapters)"""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for dialogues and adapters.")
@output_options
def train(study: Path, out: Path, as_json: bool, quiet: bool) -> None:
    """Write steered dialogues and train one expert adapter per pattern that STUDY asks for."""
    from holdfast.simulator.api import Study

    outcome = Study.from_yaml(study).train(out, quiet=quiet)
    if as_json:
        print_json(outcome)
    elif not quiet:
        rows = [_row(name, outcome, out) for name in outcome["adapters"]]
        print_table(["expert", "dialogues", "adherence", "loss", "folder"], rows, numbers=(1, 2, 3))
        router = outcome["router"]
        click.echo(f"router: accuracy {router['accuracy']:.2f} on held-out personas (n = {router['n']})")


def _row(name: str, outcome: Mapping[str, Any], out: Path) -> list[str]:
    dialogues, adapter = outcome["dialogues"][name], outcome["adapters"][name]
    kept = f"{dialogues['tally']['dialogues']['kept']} of {dialogues['tally']['dialogues']['held']}"
    loss = f"{adapter['final_loss']:.3f}"
    return [name, kept, f"{dialogues['mean_adherence']:.2f}", loss, str(out / "adapters" / name)]
