"""``holdfast run``, ``report`` and ``train``: do what a study asks for, whole or in part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.core.errors import InputError
from holdfast.simulator.cli.console import (
    SEED,
    FiniteRange,
    Output,
    output_options,
    print_json,
    print_lines,
    print_table,
)

if TYPE_CHECKING:
    from holdfast.agents.models.spec import ModelSpec
    from holdfast.simulator.results.model import Results
    from holdfast.simulator.runtime.executor import Executor

_LIMIT = FiniteRange(0, 1e9, min_open=True)
_WHOLE = (1 << 63) - 1
_TOKENS = "Stop cleanly after so many tokens, resumes included."
_AT_ONCE = "Conversations at once. [default: batch size; endpoints: 256]"
_PROCESSES = "Processes that a small local model may take; changes no result. [default: one a core in a long study]"


@click.command(
    epilog="""\b
Examples:
  holdfast run examples/stress_test/study.yaml --out runs/stress
  holdfast run study.yaml --out runs/mine --resume      go on after any stop
  holdfast run study.yaml --out runs/mine --resume --max-minutes 30
  holdfast run runs/mine/study.yaml --out runs/again --replay runs/mine
      (no model: replies from the journal)
  holdfast run study.yaml --out runs/mine --json | jq .headline
  holdfast run study.yaml --out runs/qwen --model openai:Qwen/Qwen3-8B \\
      --base-url http://localhost:8000/v1
  holdfast run study.yaml --out runs/mine --on ray --address ray-head:6379
      (on many machines)"""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Run folder; made where it is absent.")
@click.option("--resume", is_flag=True, help="Go on from what stands in the run folder.")
@click.option("--seed", type=SEED, help="Instead of the study's seed.")
@click.option("--turns", type=click.IntRange(1, 10_000), help="Instead of the study's number of turns.")
@click.option("--batch-size", type=click.IntRange(1, 4096), help="Rows of a local model's batch; changes no result.")
@click.option("--concurrency", type=click.IntRange(1, 4096), help=_AT_ONCE)
@click.option("--replay", type=click.Path(path_type=Path), help="Run folder whose replies stand in for the models.")
@click.option("--max-minutes", "minutes", type=_LIMIT, help="Stop cleanly after so long.")
@click.option("--max-tokens", "tokens", type=click.IntRange(1, _WHOLE), help=_TOKENS)
@click.option("--max-cost", "cost_usd", type=_LIMIT, help="Stop cleanly after so many dollars.")
@click.option("--processes", type=click.IntRange(1, 64), help=_PROCESSES)
@click.option("--on", type=click.Choice(["here", "ray"]), default="here", show_default=True, help="Who does the work.")
@click.option("--address", help="Ray's head, HOST:PORT. [default: RAY_ADDRESS, the cluster here, or a new one]")
@click.option("--ray-models", type=click.IntRange(1), help="Engines per model. [default: one per GPU; 1 without GPUs]")
@click.option(
    "--model", help="Instead of the study's model: micro, smollm2, hf:NAME_OR_PATH, openai:MODEL, PROVIDER:MODEL."
)
@click.option("--base-url", help="Where the model of --model is served.")
@click.option(
    "--wait-for-endpoint",
    type=FiniteRange(0, 86_400),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long for a server that is still starting or loading its model. [default: 0]",
)
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
    wait_for_endpoint: float,
    output: Output,
    **options: Any,
) -> None:
    """Simulate and measure what STUDY (a YAML file) asks for."""
    from holdfast.simulator.api import Study
    from holdfast.simulator.config.study_file import load_study

    asked = load_study(study)
    given = {name: value for name, value in options.items() if value is not None}
    limits: dict[str, Any] = {name: given.pop(name) for name in ("minutes", "tokens", "cost_usd") if name in given}
    if spec := chosen_model(model, base_url):
        given["model"] = spec
    config = asked.model_copy(update={**given, "budget": asked.budget.model_copy(update=limits)})
    with saying_how_to_go_on(out), _executor(on, processes, address, ray_models) as executor:
        done = Study(config).run(
            out,
            resume=resume,
            replay=replay,
            executor=executor,
            quiet=output.quiet,
            wait_for_endpoint=wait_for_endpoint,
        )
    show_results(done.results, out, output)


@click.command(
    epilog="""\b
Examples:
  holdfast report runs/quickstart
  holdfast report runs/overnight --json | jq .candidates.routed.retention
      (also while it still runs)
  holdfast report --schema
      (what each field of results.json means)"""
)
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of results.json instead.")
@output_options
def report(folder: Path | None, schema: bool, output: Output) -> None:
    """Make results.json and report.html from the journal in FOLDER."""
    if schema:
        from holdfast.simulator.results.model import results_schema

        print_json(results_schema())
        return
    if folder is None:
        raise click.UsageError("Missing argument 'FOLDER': the run folder.")
    from holdfast.simulator.monitor.viewer import viewer
    from holdfast.simulator.runtime.pipeline import report as make_report

    show_results(make_report(folder, viewer=viewer(quiet=output.quiet)), folder, output)


@click.command(
    epilog="""\b
Examples:
  holdfast train examples/stress_test/study.yaml --out runs/experts
  holdfast run study.yaml --out runs/mine
      (with adapters: runs/experts/adapters)"""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for dialogues and adapters.")
@output_options
def train(study: Path, out: Path, output: Output) -> None:
    """Write steered dialogues and train one expert adapter per pattern that STUDY asks for."""
    from holdfast.simulator.api import Study

    outcome = Study.from_yaml(study).train(out, quiet=output.quiet)
    output.show(outcome, lambda: _show_training(outcome, out))


@contextmanager
def saying_how_to_go_on(folder: Path) -> Iterator[None]:
    """After Ctrl-C, tell with which command the run goes on."""
    from holdfast.simulator.cli.studies.status import resuming

    try:
        yield
    except KeyboardInterrupt:
        if (folder / "study.yaml").is_file():
            print_lines(f"go on with: {resuming(folder)}", stderr=True)
        raise


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


def show_results(results: Results, out: Path, output: Output) -> None:
    """Print the results as ``output`` asks for."""
    from holdfast.simulator.cli.studies.summary import failures, print_summary

    if output.bare and results.failed_episodes:
        print_lines("\n".join(failures(results)).strip(), stderr=True)

    output.show(lambda: results.model_dump(mode="json"), lambda: print_summary(results, out))


def _show_training(outcome: Mapping[str, Any], out: Path) -> None:
    rows = []
    for name, adapter in outcome["adapters"].items():
        dialogues = outcome["dialogues"][name.partition("-")[0]]  # of its pattern, whatever its training
        counts = dialogues["counts"]
        kept = "{kept} of {held}".format_map(counts["dialogues"])
        attempts = f"{counts['drawn']['replies'] / counts['turns']['kept']:.1f}"
        loss = f"{adapter['final_loss']:.3f}"
        rows.append([name, kept, attempts, dialogues["mean_adherence"], loss, out / "adapters" / name])
    names = ["expert", "dialogues", "replies drawn per kept one", "adherence", "loss", "folder"]
    print_table(names, rows, numbers=(1, 2, 3, 4))
    router = outcome["router"]
    tested = "not tested, since no candidate is routed"
    if router["n"]:
        tested = f"accuracy {router['accuracy']:.2f} on held-out personas (n = {router['n']})"
    print_lines(f"router: {tested}")
