"""A study whose prompts would not arrive is refused before its first turn, and leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from holdfast import Study
from holdfast.agents.models.spec import ModelSpec
from holdfast.core.errors import InputError
from holdfast.simulator.cli.main import run_command
from tests.agents.models.conftest import CONFIGS, TEMPLATE, build_model

NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
TEMPLATES = {
    "takes all": TEMPLATE,
    "refuses": NO_SYSTEM + TEMPLATE,  # Gemma's way
    "drops": TEMPLATE.replace("in messages %}", "in messages if m.role != 'system' %}"),  # Phi-3's
    "drops later": "{% if messages[0].role == 'system' %}<system> {{ messages[0].content }} </s>{% endif %}"
    + TEMPLATE.replace("in messages %}", "in messages if m.role != 'system' %}"),  # gpt-oss'
    "refuses later": "{% for m in messages[1:] if m.role == 'system' %}{{ raise_exception('roles must alternate') }}"
    "{% endfor %}" + TEMPLATE,  # Mistral's
    "forgets": "{% for m in messages[-3:] %}<{{ m.role }}> {{ m.content }} </s>{% endfor %}<assistant>",
    "clock": "{{ strftime_now('w%d w%m') }} " + TEMPLATE,
}  # fmt: skip
PROMPTED = "system_prompt"
REMINDED = {"kind": "system_prompt_with_reminder", "every": 2}
AT_USER = {**REMINDED, "where": "user"}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("templates")
    build_model(CONFIGS["llama"], root / "llama")
    for name, template in TEMPLATES.items():
        shutil.copytree(root / "llama", root / name)
        (root / name / "chat_template.jinja").write_text(template, encoding="utf-8")
    return {name: root / name for name in TEMPLATES}


def written(folder: Path, base: Path, candidates: list[Any], **more: Any) -> Path:
    fields = {
        "model": {"ref": f"hf:{base}", "dtype": "float64"},
        **{"personas": {"ids": ["jun_park"]}, "turns": 4, "sampling": {"max_tokens": 2}, "candidates": candidates},
    }
    study = folder / "study.yaml"
    study.write_text(json.dumps(fields | more), encoding="utf-8")
    return study


@pytest.mark.parametrize(
    ("name", "candidate", "says"),
    [
        ("refuses", PROMPTED, "System role not supported. It would be sent the messages: system, user"),
        ("drops", PROMPTED, "drops the system message “You are"),
        ("drops", AT_USER, "drops the system message"),
        ("drops later", REMINDED, "assistant, user, assistant, system, user. Give the candidate 'where: user'"),
        ("refuses later", REMINDED, "roles must alternate"),
        ("forgets", "base", "its chat template drops the user's message “This is what I say at turn 1"),
    ],
)  # fmt: skip
def test_a_candidate_whose_prompt_would_not_arrive(
    name: str, candidate: Any, says: str, bases: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = written(tmp_path, bases[name], ["base", candidate] if candidate != "base" else ["base"])
    assert run_command(["run", str(study), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    told = capsys.readouterr().err
    assert says in told
    kind = candidate if isinstance(candidate, str) else candidate["kind"]
    assert f"candidate '{kind}' would not reach its model hf:{bases[name]}" in told
    assert list(tmp_path.iterdir()) == [study]


@pytest.mark.parametrize(
    ("name", "candidate", "turns"),
    [
        ("takes all", REMINDED, 4),
        ("drops", "base", 4),
        ("refuses", "base", 4),
        ("drops later", PROMPTED, 4),
        ("drops later", AT_USER, 4),
        ("refuses later", REMINDED, 2),  # no conversation comes to the reminder
        ("forgets", "base", 2),
    ],
)
def test_what_arrives_is_held(name: str, candidate: Any, turns: int, bases: dict[str, Path], tmp_path: Path) -> None:
    study = Study.from_yaml(written(tmp_path, bases[name], [candidate], turns=turns))
    (talk,) = study.run(tmp_path / "out").episodes()
    assert (len(talk.turns), talk.error) == (turns, None)


@pytest.mark.parametrize(
    ("changes", "whose"),
    [
        ({"users": {"kind": "model"}}, "users 'model'"),
        ({"raters": ["linear", {"kind": "judge", "model": "HERE"}]}, "rater 'HERE'"),
        ({"feeler": {"kind": "model", "model": "HERE"}}, "rater 'felt by model'"),
    ],
)
def test_users_and_judges_are_rehearsed_too(
    changes: dict[str, Any], whose: str, bases: dict[str, Path], tmp_path: Path
) -> None:
    here = f"hf:{bases['refuses']}"
    changes = json.loads(json.dumps(changes).replace("HERE", here))
    study = Study.from_yaml(written(tmp_path, bases["refuses"], ["base"], **changes))
    with pytest.raises(InputError, match="would not reach its model") as caught:
        study.run(tmp_path / "out")
    assert whose.replace("HERE", here) in str(caught.value)


def test_steering_is_rehearsed_before_anything_is_trained(bases: dict[str, Path], tmp_path: Path) -> None:
    training = {"training": {"patterns": ["companion"]}, "personas": {"tasks": ["burnout"]}}
    study = Study.from_yaml(written(tmp_path, bases["drops"], ["base"], **training))
    with pytest.raises(InputError, match="the steering of training dialogues would not reach its model"):
        study.run(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def test_the_date_that_a_template_asks_for_stands_in_the_journal(bases: dict[str, Path], tmp_path: Path) -> None:
    meta = {}
    for name, date in (("clock", None), ("clock", "2024-07-26"), ("takes all", None)):
        model = {"ref": f"hf:{bases[name]}", "dtype": "float64"} | ({"date": date} if date else {})
        out = tmp_path / f"{name}-{date}"
        Study.from_yaml(written(tmp_path, bases[name], ["base"], model=model)).run(out)
        inputs = dict(sqlite3.connect(out / "journal.sqlite").execute("SELECT key, value FROM meta"))["inputs"]
        meta[name, date] = {key: value for key, value in json.loads(inputs).items() if key.startswith("date of")}
        provenance = json.loads((out / "run.json").read_text())["provenance"]["inputs"]
        assert meta[name, date].items() <= provenance.items()
    model_name = f"date of model hf:{bases['clock']}"
    assert meta == {
        ("clock", None): {model_name: "2025-01-01"},
        ("clock", "2024-07-26"): {model_name: "2024-07-26"},
        ("takes all", None): {},
    }


def test_a_spec_without_a_date_is_written_as_ever() -> None:
    assert ModelSpec(ref="hf:x").short == {"ref": "hf:x"}
