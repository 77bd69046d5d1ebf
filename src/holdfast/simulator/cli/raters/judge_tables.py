"""What ``holdfast judge`` prints: scores with their rivals, what became of every answer, agreement, disputes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from holdfast.agents.raters.judge.answer import REASONS
from holdfast.core.errors import Fault
from holdfast.simulator.cli.console import interval_cell, print_table

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
            *(values[key] for key in ("n", "mean", "sd")),
            values["length"]["rho"],
            values["sd_without_length"],
            values.get("mean_spread"),
            interval_cell(*(values["order"][end] for end in ("shift", "lo", "hi"))) if "order" in values else None,
        ]
        for name, rater in raters.items()
        for dimension, values in rater["dimensions"].items()
    ]
    print_table(columns, rows, numbers=range(2, len(columns)))


def _answers(name: str, rater: Mapping[str, Any]) -> None:
    answers = rater["answers"]
    click.echo(f"\nanswers of {name}: {answers['asked']} asked for, {answers['passages']} replies")
    rows = [["accepted", "", answers["accepted"]]]
    for outcome, key in (("repaired", "repaired_from"), ("refused", "refused")):
        rows += [[outcome, REASONS[reason], n] for reason, n in answers[key].items()]
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
    by_dimension = [(each["dimension"].replace("_", " "), each) for each in summary["agreement"]]
    rows = [
        [name, interval_cell(*each["interval"]), interval_cell(*each["ordinal"]), each["n"]]
        for name, each in by_dimension
    ]
    print_table(["dimension", "interval", "ordinal", "n"], rows, numbers=[1, 2, 3])
    click.echo("\npair by pair (weighted kappa)")
    figures = ("quadratic_kappa", "linear_kappa", "mean_difference", "n")
    rows = [
        [name, f"{pair['first']} / {pair['second']}", *(pair[key] for key in figures)]
        for name, each in by_dimension
        for pair in each["pairs"]
    ]
    print_table(["dimension", "raters", "quadratic", "linear", "mean difference", "n"], rows, numbers=[2, 3, 4, 5])
    if summary["disputes"]:
        click.echo("\nfurthest apart")
        rows = [_dispute(dispute) for dispute in summary["disputes"]]
        print_table(["where", "turn", "dimension", "scores"], rows, numbers=[1])


def _dispute(dispute: Mapping[str, Any]) -> list[object]:
    place = dispute["passage"]
    scores = ", ".join(f"{who} {score:.2f}" for who, score in dispute["scores"].items())
    return [f"{place['file']}:{place['line']}", place["turn"], dispute["dimension"].replace("_", " "), scores]
