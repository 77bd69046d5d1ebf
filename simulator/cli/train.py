"""``holdfast train``: steered dialogues and expert adapters."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.console import output_options, print_json, print_table


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
    from simulator.study import load_study

    config = load_study(study)
    from simulator.cli.stage import viewer
    from simulator.loop import train as train_study

    outcome = train_study(config, out, viewer=viewer(quiet=quiet))
    if as_json:
        print_json(outcome)
    elif not quiet:
        rows = [
            [name, str(outcome["dialogues"][name]["tally"]["kept"]), f"{outcome['dialogues'][name]['mean_adherence']:.2f}",
             f"{adapter['final_loss']:.3f}", str(out / "adapters" / name)]
            for name, adapter in outcome["adapters"].items()
        ]
        print_table(["expert", "dialogues", "adherence", "loss", "folder"], rows, numbers=(1, 2, 3))
        router = outcome["router"]
        click.echo(f"router: accuracy {router['accuracy']:.2f} on held-out personas (n = {router['n']})")
