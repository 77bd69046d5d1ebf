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
  holdfast run study.yaml --out runs/mine --resume --max-minutes 30
  holdfast run runs/mine/study.yaml --out runs/again --replay runs/mine      no model: replies from the journal
  holdfast run study.yaml --out runs/mine --json | jq .headline"""
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
    as_json: bool,
    quiet: bool,
) -> None:
    """Simulate and measure what STUDY (a YAML file) asks for."""
    from simulator.study import load_study

    asked = load_study(study)
    limits = given(minutes=max_minutes, tokens=max_tokens, cost_usd=max_cost)
    budget = asked.budget.model_copy(update=limits)
    changes = given(seed=seed, turns=turns, batch_size=batch_size, concurrency=concurrency)
    config = asked.model_copy(update={**changes, "budget": budget})
    from simulator.cli.stage import viewer
    from simulator.loop import run_loop

    results = run_loop(config, out, resume=resume, viewer=viewer(quiet=quiet), replay=replay)
    show(results, out, as_json=as_json, quiet=quiet)


def given(**options: object) -> dict[str, object]:
    """The options that the user gave."""
    return {name: value for name, value in options.items() if value is not None}


def show(results: dict[str, object], out: Path, *, as_json: bool, quiet: bool) -> None:
    """Print results as a command was asked to."""
    from simulator.cli.console import print_json
    from simulator.cli.summary import print_summary

    if as_json:
        print_json(results)
    elif not quiet:
        print_summary(results, out)
