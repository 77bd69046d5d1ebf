"""What the base learned from decides: one small study, held on bases that were built by other recipes.

Nothing but the recipe differs (see :mod:`holdfast.adapters.micro.recipes`): people, candidates, seeds and sampling are
the same.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from holdfast.agents.models.spec import ModelSpec
from holdfast.simulator.config.study import StudyConfig, load_study
from holdfast.simulator.monitor.viewer import Viewer
from holdfast.simulator.runtime.pipeline import run_pipeline

STUDY = "ablation.yaml"


def study_on(base: Path) -> StudyConfig:
    """The study of ``ablation.yaml`` on the model in the folder ``base``, in double precision as the shipped base."""
    study = load_study(Path(str(files("holdfast.simulator.runtime") / STUDY)))
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
