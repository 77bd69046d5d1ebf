"""What ``holdfast judge`` prints: scores with their rivals, what became of every answer, agreement, disputes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from holdfast.agents.raters.judge.answer import REASONS
from holdfast.core.errors import Fault
from holdfast.simulator.cli.console import print_table

UNDEFINED = "-"
SHOWN_FAULTS = 5


def show_judging(summary: Mapping[str, Any], skipped: Sequence[Fault], out: Path | None) -> None:
    """Print the tables of a run."""
    scale = summary["scale"]
    click.echo(
        f"{summary['passages']} replies in {summary['conversations']} conversations, "
        f"scale {scale['id']} ({scale['low']:g}-{scale['high']:g})\n"
    )
    _scores(summary["raters"])
    for name, rater in summary["raters"].items():
        if "answers" in rater:
            _answers(name, rater)
    if "agreement" in summary:
        _agreement(summary)
    if skipped:
        click.echo(f"\nskipped {len(skipped)} line{'s' * (len(skipped) > 1)} without a conversation:")
        for fault in skipped[:SHOWN_FAULTS]:
            click.echo(f"  {fault}")
    if out is not None:
        click.echo(f"\nwritten to {out}")


def _scores(raters: Mapping[str, Any]) -> None:
    columns = ["rater", "dimension", "n", "mean", "sd", "rho with length", "sd without length", "spread", "order shift"]
    rows = [
        [
            name,
            dimension.replace("_", " "),
            str(values["n"]),
            score_cell(values["mean"]),
            score_cell(values["sd"]),
            score_cell(values["length"]["rho"]),
            score_cell(values["sd_without_length"]),
            score_cell(values.get("mean_spread")),
            _interval(values["order"]["shift"], values["order"]["lo"], values["order"]["hi"])
            if "order" in values
            else UNDEFINED,
        ]
        for name, rater in raters.items()
        for dimension, values in rater["dimensions"].items()
    ]
    print_table(columns, rows, numbers=range(2, len(columns)))


def _answers(name: str, rater: Mapping[str, Any]) -> None:
    answers = rater["answers"]
    click.echo(f"\nanswers of {name}: {answers['asked']} asked for, {answers['passages']} replies")
    rows = [["accepted", "", str(answers["accepted"])]]
    rows += [["repaired", _reason(reason), str(n)] for reason, n in answers["repaired_from"].items()]
    rows += [["refused", _reason(reason), str(n)] for reason, n in answers["refused"].items()]
    print_table(["outcome", "why", "answers"], rows, numbers=[2])
    tokens = answers["tokens"]
    click.echo(
        f"missing: {answers['missing']} of {answers['passages']} replies have no score; "
        f"tokens: {tokens['prompt']:,} prompt, {tokens['completion']:,} completion"
    )
    if rater["quotes"]["given"]:
        click.echo(f"quotes: {rater['quotes']['given']}, of which {rater['quotes']['invented']} are invented")


def _agreement(summary: Mapping[str, Any]) -> None:
    click.echo("\nagreement (Krippendorff's alpha, 95 % interval)")
    rows = [
        [each["dimension"].replace("_", " "), _interval(*each["interval"]), _interval(*each["ordinal"]), str(each["n"])]
        for each in summary["agreement"]
    ]
    print_table(["dimension", "interval", "ordinal", "n"], rows, numbers=[1, 2, 3])
    click.echo("\npair by pair (weighted kappa)")
    rows = [
        [
            each["dimension"].replace("_", " "),
            f"{pair['first']} / {pair['second']}",
            score_cell(pair["quadratic_kappa"]),
            score_cell(pair["linear_kappa"]),
            score_cell(pair["mean_difference"]),
            str(pair["n"]),
        ]
        for each in summary["agreement"]
        for pair in each["pairs"]
    ]
    print_table(["dimension", "raters", "quadratic", "linear", "mean difference", "n"], rows, numbers=[2, 3, 4, 5])
    if summary["disputes"]:
        click.echo("\nfurthest apart")
        rows = [_dispute(dispute) for dispute in summary["disputes"]]
        print_table(["where", "turn", "dimension", "scores"], rows, numbers=[1])


def _dispute(dispute: Mapping[str, Any]) -> list[str]:
    place = dispute["passage"]
    scores = ", ".join(f"{who} {score:.2f}" for who, score in dispute["scores"].items())
    return [f"{place['file']}:{place['line']}", str(place["turn"]), dispute["dimension"].replace("_", " "), scores]


def _reason(reason: str) -> str:
    return REASONS[reason]  # type: ignore[index]  # a key of ours, come back from the summary


def _interval(value: float | None, lo: float | None, hi: float | None) -> str:
    return UNDEFINED if value is None else f"{score_cell(value)} [{score_cell(lo)}, {score_cell(hi)}]"


def score_cell(value: float | None) -> str:
    """Two decimals, or a dash where undefined."""
    return UNDEFINED if value is None else f"{value:.2f}"
