"""Run ``holdfast micro ablation``: build the bases, run a study on each, and tabulate the results."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from holdfast.adapters.micro.build import build_base
from holdfast.adapters.micro.recipes import RECIPES
from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean
from holdfast.simulator.cli.console import console
from holdfast.simulator.cli.progress import steps
from holdfast.simulator.journal.store import JOURNAL
from holdfast.simulator.monitor.viewer import viewer
from holdfast.simulator.runtime.ablation import measure_recipe

TABLE = "ablation.json"


def run_ablation(out: Path, recipes: Sequence[str], *, seed: int, threads: int, quiet: bool) -> list[dict[str, Any]]:
    """Do what is missing in ``out``; return the rows of ``out/ablation.json``.

    Raises:
        InputError: a recipe does not exist.
    """
    for recipe in recipes:
        if recipe not in RECIPES:
            raise InputError(f"no recipe {recipe!r}{did_you_mean(recipe, RECIPES)} (allowed: {', '.join(RECIPES)})")
    rows = []
    for recipe in recipes or tuple(RECIPES):
        base, run = out / "bases" / recipe, out / "runs" / recipe
        if not (base / "build.json").exists():
            with steps(f"building {recipe}", quiet=quiet) as report:
                build_base(base, RECIPES[recipe], seed=seed, threads=threads, report=report)
        resume = (run / JOURNAL).exists()
        rows.append(asyncio.run(measure_recipe(recipe, base, run, resume=resume, viewer=viewer(quiet=quiet))))
        (out / TABLE).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    if not quiet:
        print_ablation(rows)
    return rows


def print_ablation(rows: Sequence[dict[str, Any]]) -> None:
    """Print a table with a row per recipe."""
    table = Table("recipe", "turns 1-2", "last quarter", "retention [95 %]", "without prompt", "copies feelings")
    for row in rows:
        kept = row["retention"]
        table.add_row(
            row["recipe"],
            f"{row['first_two_turns']['mean']:.2f}",
            f"{row['last_quarter']['mean']:.2f}",
            f"{kept['mean']:.2f} [{kept['lo']:.2f}, {kept['hi']:.2f}]",
            f"{row['unprompted']['mean']:.2f}",
            f"{row['copies_feelings']:.2f}",
        )
    console().print(table)
