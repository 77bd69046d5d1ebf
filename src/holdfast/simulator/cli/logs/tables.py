"""What ``holdfast measure`` prints: one table of groups, what it rests on, what was skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from holdfast.core.wording import printable
from holdfast.simulator.cli.console import print_table
from holdfast.core.rounding import round_half_up

UNDEFINED = "-"
SHOWN_SKIPS = 8
SHOWN_PLACES = 3  # of each reason
MOST_TURNS = 12  # columns of the survival table


def print_groups(results: Mapping[str, Any]) -> None:
    """Print the table of groups, with the columns that these data have."""
    groups: Mapping[str, Any] = results["groups"]
    main = main_measure(results)
    columns = ["/".join(results["by"]) or "group", "n", "turns"]
    columns += ["final emotion [95 %]", "successes", "failures"] if _any(groups, "final_emotion") else []
    unit = {"adherence": "adherence", "expressed": "expressed empathy"}.get(main or "", "")
    columns += (
        [f"{unit} [95 %]", "first → last quarter", "retention [95 %]", "in 10 turns", "length held"] if main else []
    )
    labels = shown_labels(results)
    columns += [f"{name.replace('_', ' ')} [95 %]" for name in labels]
    rows = [_row(name, group, main, labels, _any(groups, "final_emotion")) for name, group in groups.items()]
    print_table(columns, rows, numbers=range(1, len(columns)))


def print_survival(results: Mapping[str, Any]) -> None:
    """Print the share of conversations that the user has not left in failure, by turn, where a log tells that."""
    curves = {
        name: {p["turn"]: p for p in (g["exits"] or {}).get("survival", ())} for name, g in results["groups"].items()
    }
    turns = sorted({turn for curve in curves.values() for turn in curve})
    if not turns or not any(p["events"] for curve in curves.values() for p in curve.values()):
        return
    shown = turns if len(turns) <= MOST_TURNS else [turns[len(turns) * k // MOST_TURNS] for k in range(MOST_TURNS)]
    shown = sorted({*shown[:-1], turns[-1]})
    click.echo(
        "\nshare of conversations not left in failure, by turn (Kaplan-Meier; leaving early in failure is the event)"
    )
    rows = [
        [printable(name), *(number((curve.get(turn) or {}).get("share")) for turn in shown)]
        for name, curve in curves.items()
    ]
    rows = [[*row, _last(curves[name])] for row, name in zip(rows, curves, strict=True)]
    print_table(["turn", *map(str, shown), "at the end [95 %]"], rows, numbers=range(1, len(shown) + 2))


def _last(curve: Mapping[int, Mapping[str, Any]]) -> str:
    if not curve:
        return UNDEFINED
    last = curve[max(curve)]
    return interval({"mean": last["share"], "lo": last["lo"], "hi": last["hi"]})


def main_measure(results: Mapping[str, Any]) -> str | None:
    """The measure that the table and the page lead with; None where no reply was rated."""
    for name in ("adherence", "expressed"):
        if any(name in group["measures"] for group in results["groups"].values()):
            return name
    return None


def shown_labels(results: Mapping[str, Any]) -> list[str]:
    """The labels of people that are worth a column: empathy and its like, at most three."""
    groups = results["groups"].values()
    names = {n for g in groups for n in g["labels"]} | {n for g in groups for n in g["measures"] if n in _TURN_LABELS}
    return [name for name in ("empathy", *_TURN_LABELS, "desired") if name in names][:3]


_TURN_LABELS = ("perceived", "feedback")


def _any(groups: Mapping[str, Any], key: str) -> bool:
    return any(group[key] is not None for group in groups.values())


def _row(name: str, group: Mapping[str, Any], main: str | None, labels: list[str], emotion: bool) -> list[str]:
    cells = [printable(name), f"{group['n']:,}", f"{group['turns']:,}"]
    if emotion:
        cells += [interval(group["final_emotion"], 1), _count(group["successes"]), _count(group["failures"])]
    if main:
        found = group["measures"].get(main, {})
        ends = [number((found.get(key) or {}).get("mean")) for key in ("first_quarter", "last_quarter")]
        slopes = [(found.get(key) or {}).get("mean") for key in ("slope_per_turn", "slope_given_length")]
        cells += [interval(found.get("mean")), " → ".join(ends), interval(found.get("retention"))]
        cells += [UNDEFINED if slope is None else f"{10 * slope:+.2f}" for slope in slopes]
    for label in labels:
        found = group["labels"].get(label) or group["measures"].get(label, {}).get("mean")
        cells.append(interval(found))
    return cells


def number(value: float | None, digits: int = 2) -> str:
    """The number with ``digits`` decimals, halves away from zero as people round; a dash where undefined."""
    if value is None:
        return UNDEFINED
    return round_half_up(value, digits)


def interval(value: Mapping[str, Any] | None, digits: int = 2) -> str:
    """``mean [lo, hi]``."""
    if not value or value["mean"] is None:
        return UNDEFINED
    if value["lo"] is None:
        return number(value["mean"], digits)
    return f"{number(value['mean'], digits)} [{number(value['lo'], digits)}, {number(value['hi'], digits)}]"


def _count(value: int | None) -> str:
    return UNDEFINED if value is None else str(value)


def print_basis(results: Mapping[str, Any]) -> None:
    """Print what the table rests on, and what a reader must know."""
    click.echo(
        f"\n{results['conversations']:,} conversations, {results['turns']:,} turns, "
        f"{results['rated_replies']:,} replies rated by {results['rater']['id']} {results['rater']['version']}; "
        "intervals are 95 %, bootstrapped by speaker."
    )
    for note in results["notes"]:
        click.echo(f"note: {note}")
    for line in skipped_lines(results["skipped"]):
        click.echo(line)


def skipped_lines(skipped: Mapping[str, Any]) -> Iterator[str]:
    """What was skipped, by reason, each with its first places."""
    for one in skipped["by_reason"][:SHOWN_SKIPS]:
        kind, reason = one["kind"], one["reason"]
        first, *more = one["first"][:SHOWN_PLACES]
        places = [first, *(text.rpartition(f": {reason}")[0] for text in more)]
        yield printable(f"skipped: {one['n']:,} x {kind}: {reason}, first at {', '.join(places)}")
    rest = skipped["by_reason"][SHOWN_SKIPS:]
    if rest:
        yield f"skipped: {sum(one['n'] for one in rest):,} more for {len(rest)} other reasons (--json lists them)"
