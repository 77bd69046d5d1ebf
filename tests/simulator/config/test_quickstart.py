"""The quickstart's studies: each size tests enough people, reminds at no quarter's turn, and trains on others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from holdfast.adapters.micro import base_path
from holdfast.agents.models.local.safetensors_files import parameters_in
from holdfast.agents.models.spec import ModelSpec
from holdfast.simulator.config.plan import resolve
from holdfast.simulator.config.quickstart import LONGEST_REMARK, quickstart_study, without_experts
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import load_study, write_study

SMOLLM2 = ModelSpec(ref="smollm2")


def test_the_embedded_model_has_its_own() -> None:
    study = quickstart_study(ModelSpec(ref="micro"), 0)
    assert (study.model.ref, study.turns, len(study.candidates)) == ("micro", 24, 5)
    assert study.model.dtype is None  # float64, in which the bytes are promised


def test_a_real_model_has_one_of_its_size() -> None:
    small, larger = (quickstart_study(SMOLLM2, millions * 1_000_000) for millions in (300, 301))
    assert small.turns > larger.turns
    assert small.model == larger.model == ModelSpec(ref="smollm2", dtype="float32", reproducible=True)
    own = ModelSpec(ref="hf:x", dtype="bfloat16")
    assert quickstart_study(own, 1).model == own
    assert quickstart_study(ModelSpec(ref="hf:x", device="cuda"), 1).model.dtype is None


@pytest.mark.parametrize("parameters", [10, 10**9])
def test_enough_people_are_tested_who_are_not_trained_on(parameters: int) -> None:
    study = quickstart_study(SMOLLM2, parameters)
    plan = resolve(study)
    assert plan.split is not None
    assert study.training is not None
    tested, trained = set(plan.personas), {persona.id for persona in plan.split.train}
    assert len(tested) >= 5
    assert not tested & trained
    assert len(trained) <= study.training.dialogues_per_pattern * 2
    assert study.training.rater != study.raters[0]  # who trains does not judge
    periods = [spec.every for spec in study.candidates if hasattr(spec, "every")]
    assert periods
    assert all((study.turns // 4) % every for every in periods)


def test_without_experts_the_same_people_meet_the_untrained(tmp_path: Path) -> None:
    study = quickstart_study(SMOLLM2, 10)
    rest = without_experts(study, "none of 12 dialogues: “\u202eso\x1b[2J sorry” 😀\n" + "x" * 3000)
    assert rest.training is None
    assert rest.candidate_names == ("base", "system_prompt", "system_prompt_with_reminder")
    assert set(resolve(rest).personas) == set(resolve(study).personas)
    assert rest.remark is not None
    assert rest.remark.startswith(
        "Nothing was trained, so only untrained candidates are shown. none of 12 dialogues: “\\u202e"
    )
    assert len(rest.remark) == LONGEST_REMARK
    write_study(rest, tmp_path / "study.yaml")
    assert load_study(tmp_path / "study.yaml") == StudyConfig.model_validate(rest.model_dump(mode="json"))


def test_parameters_are_counted_from_the_files(tmp_path: Path) -> None:
    save_file({"a": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float16)}, tmp_path / "model-1.safetensors")
    save_file({"c": np.zeros((2, 2, 2), np.float32)}, tmp_path / "model-2.safetensors")
    assert parameters_in(tmp_path) == 12 + 5 + 8
    assert 1_000_000 < parameters_in(base_path()) < 1_500_000


def test_a_remark_changes_no_hash() -> None:
    study = quickstart_study(ModelSpec(ref="micro"), 0)
    assert resolve(study).sha256 == resolve(study.model_copy(update={"remark": "by hand"})).sha256
