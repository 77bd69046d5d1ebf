"""``holdfast micro``: rebuild or describe the embedded base model."""

from pathlib import Path

import click

from holdfast.core.errors import InputError
from holdfast.simulator.cli.console import console, output_options, print_json


@click.group()
def micro() -> None:
    """The embedded base model: a small Llama that learned from a small world."""


@micro.command(
    epilog="""\b
Examples:
  holdfast micro build --out /tmp/base
  holdfast micro build --recipe constant --out /tmp/constant
  holdfast run STUDY.yaml --out runs/constant      (with model: hf:/tmp/constant)"""
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the model; must not exist yet.")
@click.option("--recipe", default="cue", show_default=True, help="cue (shipped), constant or whole (ablations).")
@click.option("--seed", default=0, show_default=True, help="Everything random comes from it.")
@click.option(
    "--threads", default=2, show_default=True, type=click.IntRange(1, 256), help="CPU threads; part of the result."
)
@output_options
def build(out: Path, recipe: str, seed: int, threads: int, as_json: bool, quiet: bool) -> None:
    """Rebuild the base model from the seed (under 45 minutes on two cores)."""
    from holdfast.adapters.micro.recipes import RECIPES
    from holdfast.core.wording import did_you_mean

    if recipe not in RECIPES:
        raise InputError(f"no recipe {recipe!r}{did_you_mean(recipe, RECIPES)} (allowed: {', '.join(RECIPES)})")
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty; name a new folder with --out")
    from holdfast.adapters.micro.build import build_base
    from holdfast.simulator.cli.progress import steps

    with steps("building", quiet=quiet or as_json) as report:
        measured = build_base(out, RECIPES[recipe], seed=seed, threads=threads, report=report)
    if as_json:
        print_json({"path": str(out), **measured})
    elif not quiet:
        console().print(f"built {out}: {measured['parameters']:,} parameters; copies {measured['copying']}")


@micro.command(
    epilog="""\b
Examples:
  holdfast micro ablation --out runs/ablation
  holdfast micro ablation --out runs/ablation --recipe constant      only this one; the others that are done are kept"""
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for bases, runs and the table.")
@click.option("--recipe", "recipes", multiple=True, help="cue, constant or whole; all three by default.")
@click.option("--seed", default=0, show_default=True, help="Of the bases that are built.")
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1, 256), help="CPU threads for building.")
@output_options
def ablation(out: Path, recipes: tuple[str, ...], seed: int, threads: int, as_json: bool, quiet: bool) -> None:
    """Build each recipe's base and see how long a system prompt holds there (about 20 minutes a recipe).

    What is built or held already in --out is kept, so that a stop costs little. Ends on OUT/ablation.json.
    """
    from holdfast.simulator.cli.micro.ablation import run_ablation

    rows = run_ablation(out, recipes, seed=seed, threads=threads, quiet=quiet or as_json)
    if as_json:
        print_json(rows)


@micro.command(epilog="\b\nExample:\n  holdfast micro card")
@output_options
def card(as_json: bool, quiet: bool) -> None:
    """Say what the shipped base model is, how it was built and what it can do."""
    import json

    from holdfast.adapters.micro import base_path

    folder = base_path()
    if as_json:
        print_json(json.loads((folder / "build.json").read_text(encoding="utf-8")))
    elif not quiet:
        click.echo((folder / "README.md").read_text(encoding="utf-8"))
