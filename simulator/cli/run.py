"""``holdfast run``: simulate and measure what a study asks for."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.console import output_options


@click.command(
    epilog="""\b
Examples:
  holdfast run examples/stress_test/study.yaml --out runs/stress
  holdfast run study.yaml --out runs/mine --resume      go on after any stop
  holdfast run study.yaml --out runs/mine --json | jq .headline"""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Run folder; made where it is absent.")
@click.option("--resume", is_flag=True, help="Go on from what stands in the run folder.")
@click.option("--seed", type=click.IntRange(0), help="Instead of the study's seed.")
@click.option("--turns", type=click.IntRange(1, 10_000), help="Instead of the study's number of turns.")
@click.option("--batch-size", type=click.IntRange(1, 4096), help="Conversations at once; changes no result.")
@output_options
def run(
    study: Path,
    out: Path,
    resume: bool,
    seed: int | None,
    turns: int | None,
    batch_size: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Simulate and measure what STUDY (a YAML file) asks for."""
    from simulator.study import load_study

    changes = {"seed": seed, "turns": turns, "batch_size": batch_size}
    config = load_study(study).model_copy(update={key: value for key, value in changes.items() if value is not None})
    from simulator.cli.stage import viewer
    from simulator.loop import run_loop

    results = run_loop(config, out, resume=resume, viewer=viewer(quiet=quiet))
    show(results, out, as_json=as_json, quiet=quiet)


def show(results: dict[str, object], out: Path, *, as_json: bool, quiet: bool) -> None:
    """Print results as a command was asked to."""
    from simulator.cli.console import print_json
    from simulator.cli.summary import print_summary

    if as_json:
        print_json(results)
    elif not quiet:
        print_summary(results, out)
