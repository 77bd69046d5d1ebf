"""``holdfast micro``: rebuild or describe the embedded base model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.core.errors import InputError
from holdfast.simulator.cli.console import Output, output_options

if TYPE_CHECKING:
    from holdfast.adapters.micro.recipes import BuildRecipe


@click.group(
    epilog="""\b
Examples:
  holdfast micro card
  holdfast micro build --out /tmp/base"""
)
def micro() -> None:
    """The embedded base model: a small Llama that learned from a small world."""


@micro.command(
    epilog="""\b
Examples:
  holdfast micro build --out /tmp/base
  holdfast micro build --recipe constant --out /tmp/constant
  holdfast run STUDY.yaml --out runs/constant
      (with model: hf:/tmp/constant)"""
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the model; must not exist yet.")
@click.option("--recipe", default="cue", show_default=True, help="cue (shipped), constant, long_prompted or whole.")
@click.option("--seed", default=0, show_default=True, help="Everything random comes from it.")
@click.option(
    "--start",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Train an earlier base on, in a quarter of the steps.",
)
@click.option(
    "--threads", default=2, show_default=True, type=click.IntRange(1, 256), help="CPU threads; part of the result."
)
@output_options
def build(out: Path, recipe: str, seed: int, start: Path | None, threads: int, output: Output) -> None:
    """Rebuild the base model from the seed.

    It takes under 45 minutes on two cores.
    """
    from holdfast.adapters.micro.build import build_base
    from holdfast.simulator.cli.progress import steps

    wanted = _recipe(recipe)
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty; name a new folder with --out")
    with steps("building", quiet=output.bare) as report:
        measured = build_base(out, wanted, seed=seed, threads=threads, start=start, report=report)
    said = f"built {out}: {measured['parameters']:,} parameters; copies {measured['copying']}"
    output.show({"path": str(out), **measured}, lambda: click.echo(said))


@micro.command(
    epilog="""\b
Examples:
  holdfast micro ablation --out runs/ablation
  holdfast micro ablation --out runs/ablation --recipe constant
      (only this one; the others that are done are kept)"""
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for bases, runs and the table.")
@click.option("--recipe", "recipes", multiple=True, help="cue, constant, long_prompted, whole; all by default.")
@click.option("--seed", default=0, show_default=True, help="Of the bases that are built.")
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1, 256), help="CPU threads for building.")
@output_options
def ablation(out: Path, recipes: tuple[str, ...], seed: int, threads: int, output: Output) -> None:
    """See how long a system prompt holds in each recipe's base.

    The bases are built first, in about 20 minutes a recipe. What is built or held already in --out is kept, so that a
    stop costs little. Ends on OUT/ablation.json.
    """
    from holdfast.adapters.micro.recipes import RECIPES
    from holdfast.simulator.cli.micro.ablation import print_ablation, run_ablation

    wanted = {name: _recipe(name) for name in recipes or RECIPES}
    rows = run_ablation(out, wanted, seed=seed, threads=threads, quiet=output.bare)
    output.show(rows, lambda: print_ablation(rows))


@micro.command(epilog="\b\nExample:\n  holdfast micro card")
@output_options
def card(output: Output) -> None:
    """Say what the shipped base model is, and what it can do."""
    from holdfast.adapters.micro import base_path

    about, readme = ((base_path() / name).read_text(encoding="utf-8") for name in ("build.json", "README.md"))
    output.show(json.loads(about), lambda: click.echo(readme))


def _recipe(name: str) -> BuildRecipe:
    """Raises InputError where there is no such recipe."""
    from holdfast.adapters.micro.recipes import RECIPES
    from holdfast.core.wording import did_you_mean

    if name not in RECIPES:
        raise InputError(f"no recipe {name!r}{did_you_mean(name, RECIPES)} (allowed: {', '.join(RECIPES)})")
    return RECIPES[name]
