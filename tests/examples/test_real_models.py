"""The studies of ``examples/real_models``, and that its tables are those of the results beside it."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from holdfast.adapters.config import TrainingConfig
from holdfast.simulator.config.plan import resolve
from holdfast.simulator.config.study_file import load_study

FOLDER = Path(__file__).parents[2] / "examples" / "real_models"
RESULTS = sorted(FOLDER.glob("results/*.json"))


@pytest.mark.parametrize("name", ["smollm2", "smollm2_dpo", "qwen"])
def test_no_one_who_is_tested_was_trained_on(name: str) -> None:
    plan = resolve(load_study(FOLDER / f"{name}.yaml"))
    assert plan.study.turns == 16
    assert len(plan.personas) == {"qwen": 8}.get(name, 12)
    assert plan.split is not None
    assert not plan.personas.keys() & {persona.id for persona in plan.split.train}
    assert plan.study.training is not None
    assert plan.study.training.rater != plan.study.raters[0]  # who picks does not judge


def test_both_methods_learn_from_the_same_drafts() -> None:
    sft, dpo = (load_study(FOLDER / f"{name}.yaml") for name in ("smollm2", "smollm2_dpo"))
    assert sft.training is not None
    assert dpo.training is not None
    drafting = TrainingConfig.OF_A_DIALOGUE | {"dialogues_per_pattern", "held_out_per_task"}
    for name in drafting:
        assert getattr(sft.training, name) == getattr(dpo.training, name)
    assert (sft.seed, sft.personas, sft.turns) == (dpo.seed, dpo.personas, dpo.turns)


@pytest.mark.parametrize("file", RESULTS, ids=lambda file: file.stem)
def test_the_page_holds_the_tables_of_its_results(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(FOLDER / "table.py"))["main"](file.stem)
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = [line for line in capsys.readouterr().out.splitlines() if line]
    assert len(rows) > 3
    assert [row for row in rows if row not in page] == []
