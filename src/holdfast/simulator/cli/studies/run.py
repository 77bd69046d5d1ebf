"""``holdfast run``: simulate and measure what a study asks for."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from holdfast.core.errors import InputError
from holdfast.simulator.cli.console import output_options

if TYPE_CHECKING:
    from holdfast.agents.models.spec import ModelSpec
    from holdfast.simulator.results.model import Results
    from holdfast.simulator.runtime.executor import Executor


@click.command(
    epilog="""\b
Examples:
  holdfast run examples/stress_test/study.yaml --out runs/stress
  holdfast run study.yaml --out runs/mine --resume      go on after any stop
  holdfast run study.yaml --out runs/mine --resume --max-minutes 30
  holdfast run runs/mine/study.yaml --out runs/again --replay runs/mine      no model: replies from the journal
  holdfast run study.yaml --out runs/mine --json | jq .headline
  holdfast run study.yaml --out runs/qwen --model openai:Qwen/Qwen3-8B --base-url http://localhost:8000/v1
  holdfast run study.yaml --out runs/mine --on ray --address ray-head:6379      on many machines"""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Run folder; made where it is absent.")
@click.option("--resume", is_flag=True, help="Go on from what stands in the run folder.")
@click.option("--seed", type=click.IntRange(0), help="Instead of the study's seed.")
@click.option("--turns", type=click.IntRange(1, 10_000), help="Instead of the study's number of turns.")
@click.option("--batch-size", type=click.IntRange(1, 4096), help="Rows of a local model's batch; changes no result.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 4096),
    help="Conversations at once. [default: batch size; endpoints: 256]",
)
@click.option("--replay", type=click.Path(path_type=Path), help="Run folder whose replies stand in for the models.")
@click.option("--max-minutes", type=click.FloatRange(0, min_open=True), help="Stop cleanly after so long.")
@click.option("--max-tokens", type=click.IntRange(1), help="Stop cleanly after so many tokens, resumes included.")
@click.option("--max-cost", type=click.FloatRange(0, min_open=True), help="Stop cleanly after so many dollars.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    help="Processes that a small local model may take; changes no result. [default: one a core in a long study]",
)
@click.option("--on", type=click.Choice(["here", "ray"]), default="here", show_default=True, help="Who does the work.")
@click.option("--address", help="Ray's head, HOST:PORT. [default: RAY_ADDRESS, the cluster here, or a new one]")
@click.option("--ray-models", type=click.IntRange(1), help="Engines per model. [default: one per GPU; 1 without GPUs]")
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
    concurrency: int | None,
    replay: Path | None,
    max_minutes: float | None,
    max_tokens: int | None,
    max_cost: float | None,
    processes: int | None,
    on: str,
    address: str | None,
    ray_models: int | None,
    model: str | None,
    base_url: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Simulate and measure what STUDY (a YAML file) asks for."""
    from holdfast.simulator.config.study import load_study

    asked = load_study(study)
    limits = given(minutes=max_minutes, tokens=max_tokens, cost_usd=max_cost)
    budget = asked.budget.model_copy(update=limits)
    spec = chosen_model(model, base_url)
    changes = given(model=spec, seed=seed, turns=turns, batch_size=batch_size, concurrency=concurrency)
    config = asked.model_copy(update={**changes, "budget": budget})
    from holdfast.simulator.api import Study

    with _executor(on, processes, address, ray_models) as executor:
        done = Study(config).run(out, resume=resume, replay=replay, executor=executor, quiet=quiet)
    show(done.results, out, as_json=as_json, quiet=quiet)


def given(**options: object) -> dict[str, object]:
    """The options that the user gave."""
    return {name: value for name, value in options.items() if value is not None}


def _executor(
    on: str, processes: int | None, address: str | None, ray_models: int | None
) -> AbstractContextManager[Executor]:
    """What the command line wants the study held by."""
    from holdfast.simulator.runtime.executor import LocalExecutor

    if on == "ray":
        if processes is not None:
            raise InputError("--processes: only here; with --on ray, --ray-models says how many engines a model has")
        try:
            from holdfast.simulator.on_ray.cluster import ray_executor
        except ImportError as error:
            raise InputError("--on ray needs Ray; install it with: pip install 'holdfast[ray]'") from error
        return ray_executor(address, ray_models)
    misplaced = [
        option for option, value in (("--address", address), ("--ray-models", ray_models)) if value is not None
    ]
    if misplaced:
        raise InputError(f"{' and '.join(misplaced)}: only with --on ray")
    return nullcontext(LocalExecutor(processes))


def chosen_model(model: str | None, base_url: str | None) -> ModelSpec | None:
    """What ``--model`` and ``--base-url`` ask for; None where they are not given.

    Raises:
        InputError: no model reference, a key in it, or a URL without a model.
    """
    from holdfast.agents.models.spec import parse_words

    if model is None and base_url is None:
        return None
    if model is None:
        raise InputError("--base-url says where a model is served; name it with --model openai:MODEL")
    try:
        return parse_words(model, base_url)
    except ValueError as error:
        raise InputError(f"--model: {error}") from None


def show(results: Results, out: Path, *, as_json: bool, quiet: bool) -> None:
    """Print results as a command was asked to."""
    from holdfast.simulator.cli.console import print_json
    from holdfast.simulator.cli.studies.summary import print_summary

    if as_json:
        print_json(results.model_dump(mode="json"))
    elif not quiet:
        print_summary(results, out)
