"""``holdfast task``, ``pattern`` and ``study``: list, show, check, begin; every fault with its place, as JSON too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.simulator.cli.main import run_command


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run_command([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize("word", ["persona", "task", "pattern", "study"])
def test_a_file_that_is_begun_is_valid_and_never_overwritten(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.yaml"
    code, out, _ = run(capsys, word, "new", path)
    assert (code, out) == (0, f"{path}: edit it, then: holdfast {word} check {path}\n")
    assert run(capsys, word, "check", path)[:2] == (0, f"ok: 1 {word}\n")
    assert run(capsys, word, "schema", "--example")[1] == path.read_text(encoding="utf-8")
    assert json.loads(run(capsys, word, "schema")[1])["additionalProperties"] is False
    path.write_text("id: 7\n", encoding="utf-8")
    code, _, err = run(capsys, word, "new", path)
    assert (code, err) == (2, f"{path}: is there already; name a new file\n")
    assert path.read_text(encoding="utf-8") == "id: 7\n"
    code, out, _ = run(capsys, word, "check", path, "--json")
    assert code == 2
    assert json.loads(out)["faults"][0]["line"] == 1


@pytest.mark.parametrize(
    ("word", "which", "says"),
    [
        ("task", "burnout", ("pattern  companion", "topics", "needs")),
        ("pattern", "solver", ("target, 0-2", "emotional reaction 0", "as a system prompt")),
    ],
)
def test_lists_and_cards(word: str, which: str, says: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, word, "list")
    assert code == 0
    assert which in out
    assert {each["id"] for each in json.loads(run(capsys, word, "list", "--json")[1])} >= {which}
    code, out, _ = run(capsys, word, "show", which)
    assert code == 0
    assert all(text in out for text in says)
    assert json.loads(run(capsys, word, "show", which, "--json")[1])["id"] == which
    code, _, err = run(capsys, word, "show", f"{which}x")
    assert code == 2
    assert f"no {word} and no file '{which}x'; did you mean '{which}'?" in err


def test_own_files_are_shown_with_what_they_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task, pattern, me = (tmp_path / f"{word}.yaml" for word in ("task", "pattern", "persona"))
    for word, path in (("task", task), ("pattern", pattern), ("persona", me)):
        run(capsys, word, "new", path)
    task.write_text(task.read_text(encoding="utf-8").replace("pattern: solver", "pattern: calm_helper"))
    me.write_text(me.read_text(encoding="utf-8").replace("task: plan_project", "task: broken_line"))
    assert run(capsys, "task", "check", task)[0] == 2
    assert run(capsys, "task", "check", task, "--patterns", pattern)[0] == 0
    assert "A broken line" in run(capsys, "task", "show", task, "--patterns", pattern)[1]
    assert "Calm helper" in run(capsys, "pattern", "show", pattern)[1]
    world = ("--tasks", task, "--patterns", pattern)
    assert run(capsys, "persona", "check", me, *world)[:2] == (0, "ok: 1 persona\n")
    assert "A broken line (broken_line)" in run(capsys, "persona", "show", me, *world)[1]
    code, _, err = run(capsys, "persona", "check", me)
    assert code == 2
    assert "unknown task 'broken_line'" in err
    assert "your own by --tasks FILE, or in a study by tasks: [FILE]" in err


def test_each_check_knows_its_own_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("task", "pattern", "persona", "study")
    files = {word: tmp_path / f"{word}.yaml" for word in words}
    for word, path in files.items():
        run(capsys, word, "new", path)
    plural = {"study": "studies"}
    for word in words:
        others = [f"1 {other}" for other in sorted(words) if other != word]
        said = f"ok: 1 {word} ({', '.join(others)} passed over)\n"
        assert run(capsys, word, "check", tmp_path)[:2] == (0, said)
        about = json.loads(run(capsys, word, "check", tmp_path, "--json")[1])
        assert about["passed_over"] == {other: 1 for other in words if other != word}
        assert about[plural.get(word, f"{word}s")] == 1
        for other in words:
            if other != word:
                code, _, err = run(capsys, word, "check", files[other])
                assert code == 2
                assert err.startswith(f"{files[other]}: is a {other}, not a {word}; ")
                assert len(err.splitlines()) == 1
    files["task"].unlink()
    code, _, err = run(capsys, "task", "check", tmp_path)
    assert (code, err) == (
        2, f"{tmp_path}: holds no task, but 1 pattern, 1 persona, 1 study; name the folder that does\n"
    )  # fmt: skip


def test_a_topic_stands_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "task.yaml"
    text = "id: x\ntitle: X\ndescription: d\npattern: solver\ntopics: [a, A, b]\nneeds: [c, d, c, c]\n"
    path.write_text(text, encoding="utf-8")
    code, _, err = run(capsys, "task", "check", path)
    assert code == 2
    assert err.splitlines() == [
        f"{path}:5:13: topics: 'A' is given twice (first in line 5); remove one",
        f"{path}:6:15: needs: 'c' is given twice (first in line 6); remove one",
        f"{path}:6:18: needs: 'c' is given twice (first in line 6); remove one",
    ]


def test_a_study_is_shown_as_it_is_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "study.yaml"
    run(capsys, "study", "new", path)
    code, out, _ = run(capsys, "study", "show", path)
    assert code == 0
    assert out.startswith("# 36 conversations of 6 personas\n")
    assert "leave: false" in out
    assert json.loads(run(capsys, "study", "show", path, "--json")[1])["conversations"] == 36


def test_logs_are_measured_against_a_pattern_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pattern, log = tmp_path / "pattern.yaml", tmp_path / "log.jsonl"
    run(capsys, "pattern", "new", pattern)
    talk = [
        {"role": "user", "content": "My line is down."},
        {"role": "assistant", "content": "I am sorry. Restart it."},
    ]
    log.write_text("".join(json.dumps({"messages": talk}) + "\n" for _ in range(3)), encoding="utf-8")
    code, out, _ = run(capsys, "measure", log, "--patterns", pattern, "--pattern", "calm_helper", "--json")
    assert code == 0
    assert json.loads(out)["pattern"]["id"] == "calm_helper"
    code, _, err = run(capsys, "measure", log, "--pattern", "calm_helper")
    assert code == 2
    assert "unknown pattern or task 'calm_helper'" in err


def test_studies_of_a_folder_are_checked_with_every_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["study", "check", str(tmp_path)]) == 2
    assert f"{tmp_path}: holds no .yaml file; name the folder that does" in capsys.readouterr().err
    (tmp_path / "a.yaml").write_text("candidates: [base]\n", encoding="utf-8")
    assert run_command(["study", "check", str(tmp_path)]) == 0
    for name in ("b", "c"):
        (tmp_path / f"{name}.yaml").write_text("candidates: [bse]\n", encoding="utf-8")
    assert run_command(["study", "check", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert ("a.yaml:" in told, "b.yaml:1:" in told, "c.yaml:1:" in told) == (False, True, True)
