"""A run folder made with a test double for the model, and with the users and the rater that a study has by default."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.simulator.config.plan import resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.runtime.raters import raters_of
from holdfast.simulator.runtime.resources import Resources
from holdfast.simulator.runtime.session import session_of
from tests.simulator.engine.studies import run
from tests.simulator.scripted import HashModel

STUDY: dict[str, Any] = {
    "personas": {"ids": ("amara_okafor", "diego_fuentes", "jun_park")},
    "candidates": ("base", "system_prompt"),
    "turns": 6,
    "seed": 5,
}


@dataclass
class Parrot(HashModel):
    """Says the same in every turn, so that the gate stops all of a conversation but its first reply."""

    async def generate(self, request: GenerationRequest) -> Generation:
        return Generation("That sounds heavy, and I am sorry to hear it.", prompt_tokens=8, completion_tokens=8)


def record_run(out: Path, speaks: type[HashModel] = HashModel, **changes: Any) -> Path:
    """Hold 3 personas x 2 candidates x 6 turns in ``out``, which then holds a study.yaml and a journal."""
    plan = resolve(StudyConfig.model_validate(STUDY | changes))
    resources = Resources(plan, {plan.study.model: speaks()}, {}, raters_of(plan.study, {}))
    run(session_of(resources), out)
    return out
