"""``holdfast realism``: runs and studies held against logs, its JSON and its refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.personas.loading import library
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.realism.model import RealismReport
from tests.simulator.engine.studies import run, session, study
from tests.simulator.recorded import record_run
from tests.simulator.scripted import HashModel

PEOPLE = tuple(library())[:6]
STUDY = "name: few\ncandidates: [base]\nturns: 3\npersonas: {{ids: [{ids}]}}\n"


def log(path: Path, people: int, said: tuple[str, ...]) -> Path:
    """Write a conversation of three turns for each person, who turns ``said`` round."""
    lines = []
    for person in range(people):
        messages = []
        for turn in range(3):
            text = said[(person + turn) % len(said)]
            messages += [{"role": "user", "content": text}, {"role": "assistant", "content": "Tell me. How long?"}]
        lines.append(json.dumps({"id": f"c{person}", "user": f"{path.stem}-{person}", "messages": messages}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("realism")
    (out / "study.yaml").write_text(STUDY.format(ids=", ".join(PEOPLE)), encoding="utf-8")
    said = ("lol nobody cares", "my cat ran off again", "idk what now?", "yeah it sucks", "she wont call me")
    return {
        "run": record_run(out / "run", personas={"ids": PEOPLE}, turns=4),
        "study": out / "study.yaml",
        "log": log(out / "seekers.jsonl", 8, said),
        "other": log(out / "others.jsonl", 8, said),
        "few": log(out / "few.jsonl", 3, said),
    }


def report(capsys, *arguments: object) -> RealismReport:
    assert run_command(["realism", *map(str, arguments), "--words-only", "--json"]) == 0
    return RealismReport.model_validate_json(capsys.readouterr().out)


def test_a_run_against_two_logs(files: dict[str, Path], capsys) -> None:
    found = report(capsys, files["run"], "--against", files["log"], "--against", files["other"])
    ours = "embedded, rules voice"
    assert [source.name for source in found.sources] == [ours, "seekers", "others"]
    assert found.auc(ours, "seekers", "message") > 0.9
    (floor,) = [each for each in found.told_apart if each.floor and (each.unit, each.wording) == ("message", "masked")]
    assert floor.people == (8, 8)
    assert floor.words.mean < 0.6  # the same words by other people; below .5 says no more than that
    assert floor.words.lo <= floor.words.mean <= floor.words.hi
    assert {(each.unit, each.wording) for each in found.told_apart} == {
        ("message", "masked"), ("message", "raw"), ("message", "levelled"), ("conversation", "masked"),
        ("conversation", "raw"),
    }  # fmt: skip
    assert found.faults["run"].marked == 0
    assert found.encoder == "not asked for"


def test_the_same_seed_gives_the_same_figures(files: dict[str, Path], capsys) -> None:
    arguments = (files["run"], "--against", files["log"], "--seed", 3)
    assert report(capsys, *arguments) == report(capsys, *arguments)


def test_a_study_is_held_with_a_logs_replies_in_both_voices(files: dict[str, Path], tmp_path: Path, capsys) -> None:
    arguments = ["--voice", "natural", "--voice", "grammar", "--replies", files["log"], "--against", files["log"]]
    out = tmp_path / "realism.json"
    assert run_command(["realism", str(files["study"]), *map(str, arguments), "--words-only", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "embedded, natural voice" in said
    assert "no floor: give a second --against" in said
    written = RealismReport.model_validate_json(out.read_text(encoding="utf-8"))
    natural, rules, _ = written.sources
    assert (natural.messages, rules.messages) == (18, 18)
    assert natural.frames > rules.frames
    assert natural.answers is not None  # every reply asks how long


def test_variants_of_a_person_are_that_one_person(files: dict[str, Path], tmp_path: Path, capsys) -> None:
    vary = {"count": 3, "fields": {"patience": [1, 3]}}
    varied = record_run(tmp_path / "varied", personas={"ids": PEOPLE[:5], "vary": vary}, turns=3)
    found = report(capsys, varied, "--against", files["log"])
    assert (found.sources[0].people, found.sources[0].conversations) == (5, 30)
    of_people = [each.people for each in found.told_apart if each.unit == "message"]
    assert of_people == [(5, 8)] * len(of_people)


def test_too_few_people_are_not_tested(files: dict[str, Path], capsys) -> None:
    found = report(capsys, files["run"], "--against", files["few"])
    assert {each.untested for each in found.told_apart} == {"few: 3 people: cannot be tested"}
    assert found.auc("embedded, rules voice", "few", "message") is None
    assert "few: 3 people: cannot be tested" in found.notes


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("run", ["--against", "{log}.gone"], "seekers.jsonl.gone"),
        ("run", ["--against", "{log}", "--turns", "3"], "--turns: only for a study's file"),
        ("run", ["--against", "{log}", "--against", "{log}"], "a run or a log is given twice"),
        ("run", ["{run}", "--against", "{log}"], "a run is given twice"),
        ("run", ["--against", "{log}", "--out", "{run}"], "is a folder; name a file in it"),
        ("run", ["--against", "{log}", "--out", "{log}/realism.json"], "cannot be written (File exists)"),
        ("log", ["--against", "{log}"], "seekers.jsonl"),
        ("study", ["--against", "{log}", "--replies", "{empty}"], "no assistant says anything in it"),
        ("study", ["--against", "{empty}"], "no user's message with a reply stands in it"),
    ],
)
def test_refusals(
    files: dict[str, Path], tmp_path: Path, capsys, source: str, options: list[str], message: str
) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text('{"messages": [{"role": "user", "content": "hi"}]}\n', encoding="utf-8")
    filled = [option.format(log=files["log"], run=files["run"], empty=empty) for option in options]
    assert run_command(["realism", str(files[source]), *filled]) == 2
    assert message in capsys.readouterr().err


def test_a_folder_without_a_run_and_a_run_without_messages(files: dict[str, Path], tmp_path: Path, capsys) -> None:
    (tmp_path / "none").mkdir()
    assert run_command(["realism", str(tmp_path / "none"), "--against", str(files["log"])]) == 2
    assert "there is no journal here" in capsys.readouterr().err
    plan = study()
    run(session(plan, HashModel(fail="/")), tmp_path / "failed")  # every conversation fails at its first reply
    assert run_command(["realism", str(tmp_path / "failed"), "--against", str(files["log"])]) == 2
    assert "no user has said anything in this run" in capsys.readouterr().err
