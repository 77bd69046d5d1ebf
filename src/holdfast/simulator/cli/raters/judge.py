"""``holdfast judge``: rate the replies in conversations that you have, with a judge, a reward model, or a panel."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from holdfast.core.errors import Fault
from holdfast.core.wording import how_many
from holdfast.simulator.cli.console import (
    SEED,
    FiniteRange,
    Output,
    interval_cell,
    output_options,
    print_lines,
    print_table,
)
from holdfast.simulator.cli.raters.options import SCALES, RaterOptions, rater_specs, server_options

SHOWN_FAULTS = 5
DTYPES = ("float64", "float32", "bfloat16", "float16")


@click.command(
    epilog="\b\nExamples:\n"
    "  holdfast judge chats.jsonl --model openai:gpt-4o --k 3 --out scores.jsonl\n"
    "  holdfast judge chats.jsonl --model openai:my-model --scale acts \\\n"
    "      --base-url http://localhost:8000/v1\n"
    "  holdfast judge chats.jsonl --model linear --model openai:gpt-4o\n"
    "      (a panel: agreement, disputes)\n"
    "  holdfast judge chats.jsonl --model linear --json\n\n"
    "Raters and judges: linear, a FOLDER of a fitted rater, reward:DIR, openai:NAME, langchain:PROVIDER:NAME,\n"
    "hf:NAME_OR_PATH or micro (run in this process), or a mapping: '{kind: judge, model: openai:m, samples: 3}'.\n"
    "FILE is a log of any format that holdfast measure reads, or a folder of them.\n"
    "The key is read from OPENAI_API_KEY, for a server of your own from HOLDFAST_API_KEY. An answer that cannot\n"
    "be used is asked for once more, then it is missing."
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--model", "--rater", "models", multiple=True, required=True, help="A rater or a judge; repeatable.")
@click.option("--base-url", help="The judge's server, e.g. http://localhost:8000/v1.")
@click.option(
    "--base", default="micro", show_default=True, help="What a reward model sits on: micro, smollm2 or hf:PATH."
)
@click.option("--dtype", type=click.Choice(DTYPES), help="Of a judge of this machine. [default: as its files say]")
@click.option("--device", help="Of a judge of this machine: cpu, cuda, cuda:1, mps. [default: cpu]")
@click.option("--format", "word", help="Format of the files; left out, it is recognised.")
@click.option("--columns", help="Which column of a table is what (see holdfast measure --help).")
@click.option("--assistant", metavar="NAME", help="Who is the assistant, in a log that names people and no roles.")
@click.option("--scale", type=click.Choice(SCALES), default="expressed", show_default=True, help="What to rate.")
@click.option("--k", "samples", type=click.IntRange(1, 64), default=1, show_default=True, help="Answers per reply.")
@click.option("--whole", is_flag=True, help="Rate each conversation as one, at its end.")
@click.option("--history", type=click.IntRange(min=1), help="Messages shown before the rated reply. [default: all]")
@click.option(
    "--describe", "descriptive", is_flag=True, help="Ask for reasons in words too, with quotes that are looked up."
)
@click.option("--limit", type=click.IntRange(min=1), help="Rate the first N replies only.")
@click.option(
    "--sample", type=click.IntRange(min=1), help="Rate N replies only, drawn equally from all conversations by --seed."
)
@click.option("--temperature", type=FiniteRange(0, 2), help="[default: 0 for one answer, else 0.7]")
@click.option("--max-tokens", type=click.IntRange(min=16), default=512, show_default=True, help="Of one answer.")
@server_options
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of --sample, and of the intervals' bootstrap.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a JSON line per rated reply, for measure --scores.",
)
@click.option("--resume", is_flag=True, help="Go on with --out: what is rated there is not rated again.")
@output_options
def judge(
    files: tuple[Path, ...],
    models: tuple[str, ...],
    word: str | None,
    columns: str | None,
    assistant: str | None,
    whole: bool,
    limit: int | None,
    sample: int | None,
    seed: int,
    out: Path | None,
    resume: bool,
    output: Output,
    **asking: Any,
) -> None:
    """Rate the assistant's replies in FILE... and say what became of every answer."""
    from holdfast.adapters.micro import base_path
    from holdfast.agents.raters.registry import open_raters
    from holdfast.simulator.judging.run import GROUP, collect, rate_files
    from holdfast.simulator.judging.summary import summarise
    from holdfast.simulator.logs.sources import open_sources
    from holdfast.simulator.measure.panel import require_one_scale
    from holdfast.simulator.monitor.viewer import count_up, viewer
    from holdfast.simulator.runtime.felt_file import check_felt_file

    options = {name: asking.pop(name) for name in ("scale", "base", "base_url", "timeout_s", "dtype", "device")}
    specs = rater_specs(models, RaterOptions(**options, judge=asking), "--model")
    stage = viewer(quiet=output.bare).stage
    raters = open_raters(specs, base_path(), batch_size=asking["concurrency"], progress=stage)
    require_one_scale(raters)
    check_felt_file(out, raters, whole=whole)
    sources = open_sources(files, word, columns, assistant)
    rated = collect(sources, whole=whole, limit=limit, sample=sample, seed=seed)
    advance = count_up(stage, "rating replies", len(rated.passages) * len(raters))
    rating = rate_files(rated, raters, out, advance, resume=resume, group=max(GROUP, 2 * asking["concurrency"]))
    asyncio.run(rating)
    summary = summarise(rated, raters, seed)
    output.show(summary, lambda: _show(summary, rated.skipped, out))


def _show(summary: Mapping[str, Any], skipped: Sequence[Fault], out: Path | None) -> None:
    """Print the tables of a run."""
    scale, in_files = summary["scale"], summary["passages_in_files"]
    asked = "" if summary["passages"] == in_files else f"{summary['passages']:,} of "
    print_lines(
        f"{asked}{how_many(in_files, 'reply', 'replies')} in {how_many(summary['conversations'], 'conversation')}, "
        f"scale {scale['id']} ({scale['low']:g}-{scale['high']:g})\n"
    )
    _scores(summary["raters"])
    _stopped(summary["raters"])
    for name, rater in summary["raters"].items():
        if "answers" in rater:
            _answers(name, rater)
    if "agreement" in summary:
        _agreement(summary)
    if skipped:
        print_lines(f"\nskipped {how_many(len(skipped), 'line')} without a conversation:")
        for fault in skipped[:SHOWN_FAULTS]:
            print_lines(f"  {fault}")
    if out is not None:
        print_lines(f"\nwritten to {out}")


def _scores(raters: Mapping[str, Any]) -> None:
    from holdfast.simulator.measure.estimates import Estimate

    columns = ["rater", "dimension", "n", "mean", "sd", "rho with length", "sd without length", "spread", "order shift"]
    rows = [
        [
            name,
            dimension.replace("_", " "),
            *(values[key] for key in ("n", "mean", "sd")),
            values["length"]["rho"],
            values["sd_without_length"],
            values.get("mean_spread"),
            interval_cell(Estimate(**values["order"]["shift"])) if "order" in values else None,
        ]
        for name, rater in raters.items()
        for dimension, values in rater["dimensions"].items()
    ]
    print_table(columns, rows, numbers=range(2, len(columns)))


def _stopped(raters: Mapping[str, Any]) -> None:
    for name, rater in raters.items():
        if rater["disqualified"]:
            listed = ", ".join(f"{n:,} x {failure}" for failure, n in rater["disqualified"].items())
            click.echo(f"{name}: disqualified, and without scores here: {listed}")


def _answers(name: str, rater: Mapping[str, Any]) -> None:
    from holdfast.agents.raters.sample import REASONS

    answers = rater["answers"]
    print_lines(
        f"\nanswers of {name}: {answers['asked']} asked for, {how_many(answers['passages'], 'reply', 'replies')}"
    )
    rows = [["accepted", "", answers["accepted"]]]
    for outcome, key in (("repaired", "repaired_from"), ("refused", "refused")):
        rows += [[outcome, REASONS[reason], n] for reason, n in answers[key].items()]
    print_table(["outcome", "why", "answers"], rows, numbers=[2])
    tokens = answers["tokens"]
    print_lines(
        f"missing: {answers['missing']} of {answers['passages']} replies have no score; "
        f"tokens: {tokens['prompt']:,} prompt, {tokens['completion']:,} completion"
    )
    if rater["quotes"]["given"]:
        print_lines(f"quotes: {rater['quotes']['given']}, of which {rater['quotes']['invented']} are invented")


def _agreement(summary: Mapping[str, Any]) -> None:
    from holdfast.simulator.measure.estimates import Estimate

    print_lines("\nagreement (Krippendorff's alpha, 95 % interval from five conversations on)")
    by_dimension = [(each["dimension"].replace("_", " "), each) for each in summary["agreement"]]
    rows = [
        [name, *(interval_cell(Estimate(**each[metric])) for metric in ("interval", "ordinal")), each["n"]]
        for name, each in by_dimension
    ]
    print_table(["dimension", "interval", "ordinal", "n"], rows, numbers=[1, 2, 3])
    print_lines("\npair by pair (weighted kappa)")
    figures = ("quadratic_kappa", "linear_kappa", "mean_difference", "n")
    rows = [
        [name, f"{pair['first']} / {pair['second']}", *(pair[key] for key in figures)]
        for name, each in by_dimension
        for pair in each["pairs"]
    ]
    print_table(["dimension", "raters", "quadratic", "linear", "mean difference", "n"], rows, numbers=[2, 3, 4, 5])
    if summary["disputes"]:
        print_lines("\nfurthest apart")
        rows = [_dispute(dispute) for dispute in summary["disputes"]]
        print_table(["where", "turn", "dimension", "scores"], rows, numbers=[1])


def _dispute(dispute: Mapping[str, Any]) -> list[object]:
    place = dispute["passage"]
    scores = ", ".join(f"{who} {score:.2f}" for who, score in dispute["scores"].items())
    return [f"{place['file']}:{place['line']}", place["turn"], dispute["dimension"].replace("_", " "), scores]
