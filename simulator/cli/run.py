"""``holdfast run``: simulate and measure what a study asks for."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from personas.errors import InputError
from simulator.cli.console import output_options

if TYPE_CHECKING:
    from simulator.place import Place


@click.command(
    epilog="""\b
Examples:
  holdfast run examples/stress_test/study.yaml --out runs/stress
  holdfast run study.yaml --out runs/mine --resume      go on after any stop
  holdfast run study.yaml --out runs/mine --json | jq .headline
  holdfast run study.yaml --out runs/mine --on ray --address ray-head:6379      on many machines"""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Run folder; made where it is absent.")
@click.option("--resume", is_flag=True, help="Go on from what stands in the run folder.")
@click.option("--seed", type=click.IntRange(0), help="Instead of the study's seed.")
@click.option("--turns", type=click.IntRange(1, 10_000), help="Instead of the study's number of turns.")
@click.option("--batch-size", type=click.IntRange(1, 4096), help="Conversations at once; changes no result.")
@click.option("--on", type=click.Choice(["here", "ray"]), default="here", show_default=True, help="Who does the work.")
@click.option("--address", help="Ray's head, HOST:PORT. [default: RAY_ADDRESS, the cluster here, or a new one]")
@click.option("--ray-models", type=click.IntRange(1), help="Engines per model. [default: one per GPU; 1 without GPUs]")
@output_options
def run(
    study: Path,
    out: Path,
    resume: bool,
    seed: int | None,
    turns: int | None,
    batch_size: int | None,
    on: str,
    address: str | None,
    ray_models: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Simulate and measure what STUDY (a YAML file) asks for."""
    from simulator.study import load_study

    changes = {"seed": seed, "turns": turns, "batch_size": batch_size}
    config = load_study(study).model_copy(update={key: value for key, value in changes.items() if value is not None})
    from simulator.cli.stage import viewer
    from simulator.loop import run_loop

    with _place(on, address, ray_models) as place:
        results = run_loop(config, out, resume=resume, viewer=viewer(quiet=quiet), place=place)
    show(results, out, as_json=as_json, quiet=quiet)


def _place(on: str, address: str | None, ray_models: int | None) -> AbstractContextManager[Place]:
    """Where the command line wants the study held."""
    from simulator.place import HERE

    if on == "ray":
        try:
            from simulator.on_ray.cluster import connected
        except ImportError as error:
            raise InputError("--on ray needs Ray; install it with: pip install 'holdfast[ray]'") from error
        return connected(address, ray_models)
    given = [option for option, value in (("--address", address), ("--ray-models", ray_models)) if value is not None]
    if given:
        raise InputError(f"{' and '.join(given)}: only with --on ray")
    return nullcontext(HERE)


def show(results: dict[str, object], out: Path, *, as_json: bool, quiet: bool) -> None:
    """Print results as a command was asked to."""
    from simulator.cli.console import print_json
    from simulator.cli.summary import print_summary

    if as_json:
        print_json(results)
    elif not quiet:
        print_summary(results, out)
