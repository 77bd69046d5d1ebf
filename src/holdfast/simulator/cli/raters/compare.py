"""``holdfast rater compare``: a judge's preference between two replies, asked in both orders."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from holdfast.core.errors import InputError
from holdfast.simulator.cli.console import Output, output_options, print_lines, print_table
from holdfast.simulator.cli.raters.options import SCALES, RaterOptions, rater_specs, server_options


@click.command(
    epilog="\b\nExamples:\n  holdfast rater compare runs/reward/pairs.jsonl --model openai:gpt-4o\n"
    "  holdfast rater compare pairs.jsonl --model openai:mine \\\n"
    "      --base-url http://localhost:8000/v1 --out judged.jsonl\n"
    "  holdfast rater reward --pairs judged.jsonl --out runs/judged_reward\n\n"
    "A line of PAIRS has prompt, chosen and rejected (lists of messages, as TRL reads them), and persona. A preference "
    "counts only where the judge gives it in both orders."
)
@click.argument("pairs", type=click.Path(path_type=Path))
@click.option("--model", required=True, help="openai:NAME, langchain:PROVIDER:NAME, hf:NAME_OR_PATH or micro.")
@click.option("--base-url", help="A server that speaks OpenAI's language, e.g. http://localhost:8000/v1.")
@click.option("--scale", type=click.Choice(SCALES), default="expressed", show_default=True, help="What to compare.")
@click.option("--limit", type=click.IntRange(min=1), help="Compare the first N pairs only.")
@server_options
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the pairs as the judge has them.")
@output_options
def compare(
    pairs: Path,
    model: str,
    base_url: str | None,
    scale: str,
    limit: int | None,
    timeout_s: float,
    out: Path | None,
    output: Output,
    **asking: Any,
) -> None:
    """Let a judge say which reply of each pair is better.

    Each pair is asked in both orders, to see how far order and length decide.
    """
    from holdfast.adapters.dialogues.preferences import read_preference_pairs
    from holdfast.adapters.micro import base_path
    from holdfast.agents.models.opening import open_models, references
    from holdfast.agents.raters.judge.pairwise import PairwiseJudge
    from holdfast.agents.raters.protocol import SCALES as BY_ID
    from holdfast.agents.raters.specs import JudgeSpec
    from holdfast.core.jsonl import write_lines
    from holdfast.simulator.judging.comparing import compare as ask
    from holdfast.simulator.judging.comparing import preferred, summarise_comparison
    from holdfast.simulator.monitor.viewer import count_up, viewer

    (spec,) = rater_specs([model], RaterOptions(base_url=base_url, timeout_s=timeout_s), "--model")
    if not isinstance(spec, JudgeSpec):
        raise InputError(
            f"{model}: only a chat model can compare two replies; take openai:NAME, hf:NAME_OR_PATH, micro or smollm2"
        )
    stage = viewer(quiet=output.bare).stage
    chat = open_models(references(spec.models, base_path(), stage), batch_size=asking["concurrency"])[spec.model]
    judge = PairwiseJudge(chat, BY_ID[scale], spec.label, **asking)
    asked = read_preference_pairs(pairs)[:limit]
    advance = count_up(stage, "comparing replies", len(asked))
    preferences = asyncio.run(ask(judge, asked, advance))
    summary = summarise_comparison(judge, asked, preferences)
    if out is not None:
        write_lines(preferred(judge, asked, preferences), out)
    output.show(summary, lambda: _show(summary))


def _show(summary: Mapping[str, Any]) -> None:
    rows = [[name.replace("_", " "), count] for name, count in summary["preferences"].items()]
    print_table(["better", "pairs"], rows, numbers=[1])
    agrees, position, verbosity = (summary[key] for key in ("agrees_with_file", "position", "verbosity"))
    print_lines(
        f"\nagrees with the file: {_share(agrees['share'])} of {agrees['n']} decided pairs\n"
        f"same answer in both orders: {_share(position['consistent'])}; "
        f"answers for the one listed first: {_share(position['first_listed'])} (no bias: 50 %)\n"
        f"wins by the longer reply: {_share(verbosity['longer'])} of {verbosity['n']}; "
        f"{verbosity['matched']} between replies of one length"
    )
    for reason, count in summary["refused_answers"].items():
        print_lines(f"refused ({reason}): {count} answers")
    tokens = summary["tokens"]
    print_lines(f"tokens: {tokens['prompt']:,} prompt, {tokens['completion']:,} completion")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}".replace("%", " %")
