"""``holdfast run``: simulate and measure what a study asks for."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.core.errors import InputError
from holdfast.simulator.cli.console import Output, output_options

if TYPE_CHECKING:
    from holdfast.agents.models.spec import ModelSpec
    from holdfast.simulator.runtime.executor import Executor

_LIMIT = click.FloatRange(0, min_open=True)
_TOKENS = "Stop cleanly after so many tokens, resumes included."
_AT_ONCE = "Conversations at once. [default: batch size; endpoints: 256]"
_PROCESSES = "Processes that a small local model may take; changes no result. [default: one a core in a long study]"


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
@click.option("--concurrency", type=click.IntRange(1, 4096), help=_AT_ONCE)
@click.option("--replay", type=click.Path(path_type=Path), help="Run folder whose replies stand in for the models.")
@click.option("--max-minutes", "minutes", type=_LIMIT, help="Stop cleanly after so long.")
@click.option("--max-tokens", "tokens", type=click.IntRange(1), help=_TOKENS)
@click.option("--max-cost", "cost_usd", type=_LIMIT, help="Stop cleanly after so many dollars.")
@click.option("--processes", type=click.IntRange(1, 64), help=_PROCESSES)
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
    replay: Path | None,
    model: str | None,
    base_url: str | None,
    on: str,
    processes: int | None,
    address: str | None,
    ray_models: int | None,
    output: Output,
    **options: Any,
) -> None:
    """Simulate and measure what STUDY (a YAML file) asks for."""
    from holdfast.simulator.api import Study
    from holdfast.simulator.cli.studies.summary import show
    from holdfast.simulator.config.study import load_study

    asked = load_study(study)
    given = {name: value for name, value in options.items() if value is not None}
    limits = {name: given.pop(name) for name in ("minutes", "tokens", "cost_usd") if name in given}
    if spec := chosen_model(model, base_url):
        given["model"] = spec
    config = asked.model_copy(update={**given, "budget": asked.budget.model_copy(update=limits)})
    with _executor(on, processes, address, ray_models) as executor:
        done = Study(config).run(out, resume=resume, replay=replay, executor=executor, quiet=output.quiet)
    show(done.results, out, output)


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
    ray_options = {"--address": address, "--ray-models": ray_models}
    if misplaced := [option for option, value in ray_options.items() if value is not None]:
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
