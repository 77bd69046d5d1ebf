"""A study that is refused leaves nothing where its run folder would have been."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast import Study
from holdfast.core.errors import HoldfastError, InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.config.study_file import load_study

ADAPTER = {"kind": "adapter", "adapter": "warm"}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no such folder": ({"model": "hf:./nowhere"}, "nowhere does not exist"),
    "no key": ({"model": {"ref": "openai:m", "api_key_env": "NOT_SET"}}, "set NOT_SET in the environment"),
    "no provider": ({"model": "anthropic:claude"}, "pip install 'holdfast"),
    "no adapters": ({"candidates": ["base", ADAPTER]}, "speak through adapters, and the study has none"),
    "no such adapter": (
        {"candidates": ["base", ADAPTER], "adapters": "experts"},
        "candidate 'adapter' speaks through the adapter 'warm', which",
    ),
    "an adapter that nobody trains": (
        {"candidates": [{"kind": "adapter", "adapter": "solvr"}], "training": {}, "personas": {"per_task": 1}},
        "which the study's training does not give; did you mean 'solver'? (adapters there: coach, companion,",
    ),
    "no prices": ({"budget": {"cost_usd": 1}}, "needs the price of a model"),
    "no population": ({"rounds": 2}, "'rounds' moves the expectations of a population"),
}


def written(tmp_path: Path, changes: dict[str, Any]) -> Path:
    fields = {"personas": {"ids": ["jun_park"]}, "candidates": ["base"], "turns": 1}
    (tmp_path / "study.yaml").write_text(json.dumps(fields | changes), encoding="utf-8")
    if "adapters" in changes:
        for name in ("worm", "companion"):
            (tmp_path / "experts" / name).mkdir(parents=True)
            (tmp_path / "experts" / name / "adapter_config.json").write_text("{}", encoding="utf-8")
    return tmp_path / "study.yaml"


@pytest.mark.parametrize("why", REFUSED)
def test_the_command_leaves_no_folder(why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes, told = REFUSED[why]
    study = written(tmp_path, changes)
    assert run_command(["run", str(study), "--out", str(tmp_path / "runs" / "mine"), "--quiet"]) == 2
    assert told in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} <= {"study.yaml", "experts"}


@pytest.mark.parametrize("why", [why for why in REFUSED if why != "no population"])
async def test_the_api_leaves_no_folder(why: str, tmp_path: Path) -> None:
    study = written(tmp_path, REFUSED[why][0])
    with pytest.raises(HoldfastError):
        await Study(load_study(study)).arun(tmp_path / "runs" / "mine")
    assert {path.name for path in tmp_path.iterdir()} <= {"study.yaml", "experts"}


def test_a_replay_of_nothing_leaves_no_folder(tmp_path: Path) -> None:
    study = written(tmp_path, {})
    with pytest.raises(HoldfastError):
        Study.from_yaml(study).run(tmp_path / "runs" / "mine", replay=tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == [study]


def test_a_training_that_is_refused_leaves_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = written(tmp_path, {"training": {}, "personas": {"ids": ["jun_park", "priya_raman"]}})
    assert run_command(["train", str(study), "--out", str(tmp_path / "experts"), "--quiet"]) == 2
    assert capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [study]


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    study = written(tmp_path, REFUSED["no such folder"][0])
    assert run_command(["run", str(study), "--out", str(tmp_path / "mine"), "--quiet"]) == 2
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_run_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = written(tmp_path, {})
    assert run_command(["run", str(study), "--out", str(study / "mine"), "--quiet"]) == 2
    assert "the run folder cannot be made (Not a directory)" in capsys.readouterr().err


def test_an_adapter_that_no_folder_has_is_refused_before_any_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind an endpoint too, where the study has a folder; did you mean, and what is there."""

    def load(*_: object, **__: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("holdfast.simulator.runtime.pipeline.open_resources", load)
    experts = {"kind": "oracle", "experts": {"companion": "run"}}
    for candidates, name in (([ADAPTER], "warm"), ([experts], "run")):
        for model in ("micro", {"ref": "openai:m", "base_url": "http://127.0.0.1:9/v1"}):
            folder = tmp_path / f"{name}-{model if isinstance(model, str) else 'served'}"
            folder.mkdir()
            study = written(folder, {"candidates": candidates, "model": model, "adapters": "experts"})
            with pytest.raises(InputError, match=rf"the adapter '{name}', which .*/experts does not give") as caught:
                Study.from_yaml(study).run(folder / "mine")
            assert "(adapters there: companion, worm)" in str(caught.value)
            assert ("did you mean 'worm'?" in str(caught.value)) == (name == "warm")
