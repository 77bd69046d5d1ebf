"""Run ``holdfast micro ablation``: one small study, held on bases that were built by different recipes.

Nothing but the recipe differs (see :mod:`holdfast.adapters.micro.recipes`): people, candidates, seeds and sampling are
the same.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from holdfast.adapters.micro.build import build_base
from holdfast.adapters.micro.recipes import BuildRecipe
from holdfast.agents.models.spec import ModelSpec
from holdfast.simulator.cli.console import interval_cell, print_table
from holdfast.simulator.cli.progress import steps
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import load_study
from holdfast.simulator.journal.store import JOURNAL
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.monitor.viewer import Viewer, viewer
from holdfast.simulator.runtime.pipeline import run_pipeline

STUDY, TABLE = "ablation.yaml", "ablation.json"


def run_ablation(
    out: Path, recipes: Mapping[str, BuildRecipe], *, seed: int, threads: int, quiet: bool
) -> list[dict[str, Any]]:
    """Do what is missing in ``out``; return the rows of ``out/ablation.json``."""
    rows = []
    for name, recipe in recipes.items():
        base, run = out / "bases" / name, out / "runs" / name
        if not (base / "build.json").exists():
            with steps(f"building {name}", quiet=quiet) as report:
                build_base(base, recipe, seed=seed, threads=threads, report=report)
        resume = (run / JOURNAL).exists()
        rows.append(asyncio.run(measure_recipe(name, base, run, resume=resume, viewer=viewer(quiet=quiet))))
        (out / TABLE).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return rows


def print_ablation(rows: Sequence[dict[str, Any]]) -> None:
    """Print a table with a row per recipe."""
    columns = ["recipe", "turns 1-2", "last quarter", "retention [95 %]", "without prompt", "copies feelings"]
    cells = [
        [
            row["recipe"],
            *(row[part]["mean"] for part in ("first_two_turns", "last_quarter")),
            interval_cell(Estimate(**row["retention"])),
            row["unprompted"]["mean"],
            row["copies_feelings"],
        ]
        for row in rows
    ]
    print_table(columns, cells, numbers=range(1, 6))


def study_on(base: Path) -> StudyConfig:
    """The study of ``ablation.yaml`` on the model in the folder ``base``, in double precision as the shipped base."""
    study = load_study(Path(str(files("holdfast.simulator.cli.micro") / STUDY)))
    return study.model_copy(update={"model": ModelSpec(ref=f"hf:{base.resolve()}", dtype="float64")})


async def measure_recipe(
    recipe: str, base: Path, out: Path, *, resume: bool = False, viewer: Viewer | None = None
) -> dict[str, Any]:
    """Hold the study on ``base`` in the run folder ``out``; a row of the table for this recipe.

    The row: ``recipe``; of the system prompt ``first_two_turns``, ``last_quarter`` (adherence) and ``retention``, each
    ``{mean, lo, hi, n}``; ``unprompted``: the base's own adherence; ``copies_feelings``: the share of feelings that
    the base copies (teacher-forced, in [0, 1]), without which a low adherence says nothing about prompts.
    """
    results = await run_pipeline(study_on(base), out, resume=resume, viewer=viewer)
    prompted, bare = results.candidates["system_prompt"], results.candidates["base"]
    built = json.loads((base / "build.json").read_text(encoding="utf-8"))
    return {
        "recipe": recipe,
        "first_two_turns": prompted.adherence_first_two_turns.model_dump(),
        "last_quarter": prompted.adherence_last_quarter.model_dump(),
        "retention": prompted.retention.model_dump(),
        "unprompted": bare.adherence.model_dump(),
        "copies_feelings": built["copying"]["feeling"],
    }
