"""What ``holdfast validate`` prints: a table per labelled set, and under it what the figures mean."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from holdfast.simulator.cli.console import print_table

_TITLES = {
    "epitome": "Expressed empathy: EPITOME's replies, quadratic-weighted kappa [95 % interval]",
    "lend_an_ear": "Communicated acts: Lend an Ear's conversations, quadratic-weighted kappa [95 % interval]",
    "ieval": "Perceived empathy: iEval's chats, by the people who chatted, Spearman [95 % interval]",
    "esconv": "Perceived empathy: ESConv's failed dialogues, by the person supported, Spearman [95 % interval]",
    "ieval_unseen": "Perceived empathy: iEval's chats of people whom the shipped weights never saw, Spearman",
}
_RANKS = {
    "spearman": "all chats",
    "within_bot": "within chatbots",
    "length_only": "length alone",
    "length_within_bot": "length alone, within",
}


def show_validation(results: Mapping[str, Any], written: Sequence[Path]) -> None:
    """Print every section of what :func:`holdfast.simulator.validation.run.validate` found; and what is ``written``."""
    for name, title in _TITLES.items():
        if name in results:
            click.echo(f"\n{title}")
            how = results["how"][name]
            click.echo(f"weights: {how['weights']}{_counts(how)}")
            if name in results["mean_kappa"]:
                _show_judged(name, results)
            else:
                _show_chats(results[name], results["ceilings"].get(name))
    for name, why in results["skipped"].items():
        click.echo(f"\nskipped {name}: {why}")
    for about, notes in results["notes"].items():
        click.echo(f"\n{about}:")
        for name, note in notes.items():
            click.echo(f"  {name}: {note}")
    if written:
        click.echo(f"\nwritten: {', '.join(map(str, written))}")


def _show_judged(name: str, results: Mapping[str, Any]) -> None:
    table, mean = results[name], results["mean_kappa"][name]
    rows = [[who, *(_cell(by[who], "qwk") for by in table.values()), _number(mean[who])] for who in mean]
    ceilings = results["ceilings"][name].values()
    for key, label in (("expert_expert", "expert-expert"), ("expert_rest", "expert-the rest")):
        each = [ceiling[key] for ceiling in ceilings]
        rows.append([label, *(_number(value) for value in each), _number(sum(each) / len(each))])
    print_table(["annotator", *(dimension.replace("_", " ") for dimension in table), "mean"], rows)
    counts = sorted({kappa["n"] for by in table.values() for kappa in by.values()})
    click.echo(f"{' or '.join(str(count) for count in counts)} texts.")
    beside = results["beside"][name]
    columns = ["unrounded", *(dimension.replace("_", " ") for dimension in beside)]
    wanted = {"spearman": "Spearman", "length_spearman": "Spearman of length", "mae": "mean absolute error"}
    rows = [[label, *(_number(figures[key]) for figures in beside.values())] for key, label in wanted.items()]
    rows.append(["calibration error", *(_number(figures["calibration"]["error"]) for figures in beside.values())])
    print_table(columns, rows)


def _show_chats(section: Mapping[str, Any], ceiling: Mapping[str, float] | None) -> None:
    rows = [[label, _cell(section[key], "mean")] for key, label in _RANKS.items() if key in section]
    print_table(["agreement", "Spearman"], rows)
    left, error, kappa = (_number(section[key]) for key in ("beyond_length", "mae", "qwk"))
    click.echo(
        f"{section['n']} chats, {section['missing']} without a score. Beyond length {left}; mean error {error}; "
        f"weighted kappa {kappa}."
    )
    if ceiling is not None:
        most, agree = _number(ceiling["most"]), _number(ceiling["eu_er"])
        click.echo(f"Noise ceiling at most {most} (the two questions agree at {agree}).")
    calibration = section["calibration"]
    rows = [[f"{group['score']:.2f}", f"{group['label']:.2f}", str(group["n"])] for group in calibration["bins"]]
    print_table(["mean score", "mean label", "chats"], rows, numbers=[0, 1, 2])
    click.echo(f"Expected calibration error {_number(calibration['error'])}.")


def _counts(how: Mapping[str, Any]) -> str:
    parts = [f"{how['left_out_as_seen']} left out, seen in fitting"] if how["left_out_as_seen"] else []
    parts += [f"{count} missing: {why}" for why, count in how["missing"].items()]
    return f" ({'; '.join(parts)})" if parts else ""


def _cell(estimate: Mapping[str, float], key: str) -> str:
    if math.isnan(estimate[key]):
        return "undefined"
    return f"{estimate[key]:5.2f} [{estimate['lo']:5.2f}, {estimate['hi']:5.2f}]"


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.2f}"
