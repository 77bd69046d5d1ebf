"""``holdfast run``: simulate and measure what a study asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from personas.errors import InputError
from simulator.cli.console import output_options

if TYPE_CHECKING:
    from agents.models.spec import ModelSpec


@click.command(
    epilog="""\b
Examples:
  holdfast run examples/stress_test/study.yaml --out runs/stress
  holdfast run study.yaml --out runs/mine --resume      go on after any stop
  holdfast run study.yaml --out runs/mine --json | jq .headline
  holdfast run study.yaml --out runs/qwen --model openai:Qwen/Qwen3-8B --base-url http://localhost:8000/v1"""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Run folder; made where it is absent.")
@click.option("--resume", is_flag=True, help="Go on from what stands in the run folder.")
@click.option("--seed", type=click.IntRange(0), help="Instead of the study's seed.")
@click.option("--turns", type=click.IntRange(1, 10_000), help="Instead of the study's number of turns.")
@click.option("--batch-size", type=click.IntRange(1, 4096), help="Conversations at once; changes no result.")
@click.option("--model", help="Instead of the study's model: micro, hf:NAME_OR_PATH, openai:MODEL, PROVIDER:MODEL.")
@click.option("--base-url", help="Where the model of --model is served.")
@output_options
def run(
    study: Path,
    out: Path,
    resume: bool,
    seed: int | None,
    turns: int | None,
    batch_size: int | None,
    model: str | None,
    base_url: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Simulate and measure what STUDY (a YAML file) asks for."""
    from simulator.study import load_study

    spec = chosen_model(model, base_url)
    changes = {"model": spec, "seed": seed, "turns": turns, "batch_size": batch_size}
    config = load_study(study).model_copy(update={key: value for key, value in changes.items() if value is not None})
    from simulator.cli.stage import viewer
    from simulator.loop import run_loop

    results = run_loop(config, out, resume=resume, viewer=viewer(quiet=quiet))
    show(results, out, as_json=as_json, quiet=quiet)


def chosen_model(model: str | None, base_url: str | None) -> ModelSpec | None:
    """What ``--model`` and ``--base-url`` ask for; None where they are not given.

    Raises:
        InputError: no model reference, a key in it, or a URL without a model.
    """
    from agents.models.spec import parse_words

    if model is None and base_url is None:
        return None
    if model is None:
        raise InputError("--base-url says where a model is served; name it with --model openai:MODEL")
    try:
        return parse_words(model, base_url)
    except ValueError as error:
        raise InputError(f"--model: {error}") from None


def show(results: dict[str, object], out: Path, *, as_json: bool, quiet: bool) -> None:
    """Print results as a command was asked to."""
    from simulator.cli.console import print_json
    from simulator.cli.summary import print_summary

    if as_json:
        print_json(results)
    elif not quiet:
        print_summary(results, out)
