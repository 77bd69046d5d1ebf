"""Tasks and patterns of a study's own: read with its faults, carried into the run, said to be unvalidated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast import Study, personas
from holdfast.core.errors import InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.config.plan import differences, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import load_study, write_study

EXAMPLES = Path(personas.__file__).parent / "examples"
STUDY = """
turns: 2
sampling: {max_tokens: 8}
tasks:
  - mine/task.yaml
  - {id: other_line, title: Other, description: d, pattern: calm_helper, topics: [a, b, c], needs: [d, e, f]}
patterns: [mine/pattern.yaml]
personas: {files: [me.yaml]}
candidates: [base, system_prompt]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    for name in ("task", "pattern"):
        text = (
            (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8").replace("pattern: solver", "pattern: calm_helper")
        )
        (tmp_path / "mine" / f"{name}.yaml").write_text(text, encoding="utf-8")
    person = (EXAMPLES / "persona.yaml").read_text(encoding="utf-8").replace("plan_project  ", "broken_line  ")
    (tmp_path / "me.yaml").write_text(person, encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def faults(folder: Path, text: str) -> list[str]:
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_study(folder / "study.yaml")
    return str(caught.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize(
    ("line", "place", "told"),
    [
        ("personas: {files: [me.yaml, mee.yaml]}", "2:29", "mee.yaml: no such file; did you mean 'me.yaml'?"),
        ("personas: {files: [empty]}", "2:20", "empty: holds no .yaml file; name the folder that does"),
        ("tasks: [mine/tusk.yaml]", "2:9", "mine/tusk.yaml: no such file; did you mean 'task.yaml'?"),
        ("patterns: [mine/pattern.yaml, mine/patter.yaml]", "2:31", "mine/patter.yaml: no such file; did you mean"),
        ("adapters: experts", "2:11", "experts: no such folder of adapters"),
        (
            "raters: [linear, {kind: linear, folder: fitted}]",
            "2:41",
            "fitted: no such folder, where the rater 'fitted'",
        ),
        ("training: {rater: {kind: linear, folder: fitted}}", "2:42", "fitted: no such folder"),
        ("remark: x", "1:49", "prompt.txt: no such file"),
        ("remark: y", "1:92", "pairs.jsonl: no such file"),
    ],
)
def test_a_file_that_is_not_there_is_told_with_the_line_that_names_it(
    line: str, place: str, told: str, folder: Path
) -> None:
    (folder / "empty").mkdir()
    candidates = "candidates: [base]"
    if line.startswith("remark"):
        exemplars = "{kind: exemplars, k: 1, file: pairs.jsonl}"
        candidates = f"candidates: [{{kind: system_prompt, prompt_file: prompt.txt}}, {exemplars}]"
    lines = faults(folder, f"{candidates}\n{line}\n")
    assert any(each.startswith(f"study.yaml:{place}: {told}") for each in lines), lines


def test_what_is_read_is_carried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = load_study(folder / "study.yaml")
    plan = resolve(study)
    assert [(spec.persona, spec.task) for spec in plan.episodes[:1]] == [("sofia_lind", "broken_line")]
    assert plan.patterns[plan.tasks["broken_line"].pattern].advice == 2
    elsewhere = folder / "run"
    elsewhere.mkdir()
    write_study(study, elsewhere / "study.yaml")
    monkeypatch.chdir(elsewhere)
    again = load_study(elsewhere / "study.yaml")
    assert (again.tasks, again.patterns) == (study.tasks, study.patterns)
    assert [task.id for task in study.tasks] == ["broken_line", "other_line"]  # type: ignore[union-attr]
    assert resolve(again).sha256 == plan.sha256


def test_faults_stand_at_their_places(folder: Path) -> None:
    lines = faults(folder, STUDY.replace("mine/task.yaml", "mine/tsk.yaml"))
    assert (
        lines == ["mine/tsk.yaml: cannot be read: No such file or directory; check the path"] or "tsk.yaml" in lines[0]
    )
    (line,) = faults(folder, STUDY.replace("pattern: calm_helper", "pattern: calm_helpr"))
    assert line.startswith(
        "study.yaml:6:5: task 'other_line': unknown pattern 'calm_helpr'; did you mean 'calm_helper'?"
    )
    (line,) = faults(folder, STUDY.replace("id: other_line", "id: burnout"))
    assert line == "study.yaml:6:5: task id 'burnout' is holdfast's own; rename yours, or name it once"
    (line,) = faults(folder, STUDY.replace("topics: [a, b, c]", "topics: [a, b]"))
    assert line.startswith("study.yaml:6:")
    assert "topics" in line
    (line,) = faults(folder, STUDY.replace("files: [me.yaml]", "files: [me.yaml], tasks: [broken_lines]"))
    assert "no task 'broken_lines'; did you mean 'broken_line'?" in line


def test_studies_without_any_keep_their_hash() -> None:
    plan = resolve(StudyConfig.model_validate({"candidates": ["base"]}))
    assert not {"tasks", "patterns"} & json.loads(plan.fingerprint).keys()


def test_another_task_is_another_study(folder: Path) -> None:
    before = resolve(load_study(folder / "study.yaml")).fingerprint
    text = (folder / "mine" / "pattern.yaml").read_text(encoding="utf-8")
    (folder / "mine" / "pattern.yaml").write_text(text.replace("advice: 2", "advice: 1"), encoding="utf-8")
    after = resolve(load_study(folder / "study.yaml")).fingerprint
    assert differences(before, after) == ["patterns.1.advice: was 2, now 1"]


def test_a_run_with_them_says_what_was_never_validated(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "out"
    assert run_command(["study", "check", str(folder / "study.yaml")]) == 0
    assert run_command(["run", str(folder / "study.yaml"), "--out", str(out)]) == 0
    said = "Unvalidated here: no rater was ever held against people in broken_line."
    assert said in " ".join(capsys.readouterr().out.split())
    run = Study.from_yaml(out / "study.yaml")
    assert resolve(run.config).tasks["broken_line"].title == "A broken line"
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["unvalidated"].startswith(said)
    assert results["patterns"]["calm_helper"]["target"] == {
        "emotional_reaction": 1.0,
        "interpretation": 1.0,
        "exploration": 0.0,
    }
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Unvalidated here: no rater was ever held against people in broken_line." in page
