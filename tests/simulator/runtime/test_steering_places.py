"""A study's examples stand where its models' chat templates bear them, for candidates and for steering alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.dialogues.prompting import LATE, SteeringPlaces
from holdfast.adapters.micro import base_path
from holdfast.agents import registry
from holdfast.agents.models.references import LocalReference, ModelReference
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.protocols import AssistantView, Generation, GenerationRequest, Message
from holdfast.core.errors import InputError
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.runtime.prompt_rehearsal import rehearse_prompts, steering_places
from holdfast.simulator.runtime.resources import Resources
from tests.agents.models.conftest import TEMPLATE

DEAF = TEMPLATE.replace("in messages %}", "in messages if m.role != 'assistant' %}")  # to what the assistant said
MUTE = TEMPLATE.replace("in messages %}", "in messages if m.role != 'system' %}")
SHOWN = {"kind": "system_prompt", "pattern": "companion", "examples": True}


class Recorder:
    id = "recorder"

    def __init__(self) -> None:
        self.asked: list[GenerationRequest] = []

    async def generate(self, request: GenerationRequest) -> Generation:
        self.asked.append(request)
        return Generation("ok.", 1, 1)


def study(folder: Path, template: str, **training: Any) -> tuple[Plan, dict[ModelSpec, ModelReference]]:
    folder.mkdir()
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    spec = ModelSpec(ref=f"hf:{folder}")
    config = {"model": spec, "candidates": ["base", SHOWN], "personas": {"tasks": ["burnout"]}, "training": training}
    return resolve(StudyConfig.model_validate(config)), {spec: LocalReference(spec.ref, folder)}


@pytest.mark.parametrize(
    ("template", "training", "places"),
    [
        (TEMPLATE, {}, SteeringPlaces("turns", late=True)),
        (DEAF, {}, SteeringPlaces("system", late=False)),
        (TEMPLATE, {"examples": False}, LATE),
    ],
)
async def test_steering_shows_examples_where_they_arrive(
    template: str, training: dict[str, Any], places: SteeringPlaces, tmp_path: Path
) -> None:
    assert steering_places(*study(tmp_path / "m", template, **training)) == places


async def test_the_embedded_model_is_steered_by_words_as_it_learned() -> None:
    spec = ModelSpec(ref="micro")
    plan = resolve(StudyConfig.model_validate({"candidates": ["base"], "training": {}}))
    assert steering_places(plan, {spec: LocalReference("micro", base_path())}) == LATE


@pytest.mark.parametrize(("template", "roles"), [(TEMPLATE, "suauauauauauauau"), (DEAF, "su")])
async def test_a_candidate_shows_them_in_the_same_place(template: str, roles: str, tmp_path: Path) -> None:
    plan, references = study(tmp_path / "m", template)
    model = Recorder()
    resources = Resources(plan, {plan.study.model: model}, references, {})
    candidate = registry.build_candidate(registry.parse(SHOWN), resources)
    await candidate.reply(AssistantView("e", 1, (Message("user", "Hi."),), 0))
    assert "".join(message.role[0] for message in model.asked[0].messages) == roles
    everything = "\n".join(message.content for message in model.asked[0].messages)
    assert all(each.reply in everything for each in plan.patterns["companion"].examples)


async def test_steering_that_would_not_arrive_is_refused_before_anything_is_drafted(tmp_path: Path) -> None:
    plan, references = study(tmp_path / "m", MUTE)
    plan = resolve(plan.study.model_copy(update={"candidates": (registry.parse("base"),)}))
    with pytest.raises(InputError, match="the steering of training dialogues would not reach its model"):
        await rehearse_prompts(plan, references)
