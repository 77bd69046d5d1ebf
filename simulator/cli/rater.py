"""``holdfast rater``: refit the rater of expressed empathy, or train a reward model."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.console import output_options, print_json, print_table
from simulator.cli.rater_compare import compare
from simulator.cli.rater_reward import reward


@click.group(epilog="\b\nExamples:\n  holdfast rater fit --out agents/raters/linear_epitome")
def rater() -> None:
    """Refit the rater of expressed empathy."""


@rater.command(
    epilog="\b\nExamples:\n  holdfast rater fit --out my_rater\n  holdfast rater fit --data ~/labels --out my_rater\n\n"
    "Takes about a minute. The same labels and seed give the same files."
)
@click.option("--data", type=click.Path(path_type=Path), help="Folder that holds epitome_reddit/pairs.csv.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write.")
@click.option("--seed", type=int, default=0, show_default=True, help="Deals the folds.")
@output_options
def fit(data: Path | None, out: Path, seed: int, as_json: bool, quiet: bool) -> None:
    """Fit the linear rater on EPITOME's human labels.

    Writes weights.npz, vocabulary.json and card.md, and prints the cross-validated agreement.
    """
    from agents.raters import LinearRater
    from agents.raters.fit import fit_files
    from simulator.validation.folder import data_folder

    if not (quiet or as_json):
        click.echo("fitting (about a minute)", err=True)
    fitted = fit_files(data_folder(data), out, seed)
    if as_json:
        version = LinearRater(out).version
        print_json({"out": str(out), "version": version, "replies": fitted.replies, "held_out": fitted.held_out})
    elif not quiet:
        rows = [[name.replace("_", " "), f"{one['qwk']:.3f}"] for name, one in fitted.held_out.items()]
        print_table(["mechanism", "cross-validated kappa"], rows, numbers=[1])
        click.echo(f"written to {out}")


rater.add_command(reward)
rater.add_command(compare)
