"""``persona list --coverage``, ``check --effect``, ``import``, and the schema of files that extend others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from holdfast.agents.users.effects import measured
from holdfast.personas.loading import library, load_persona
from holdfast.personas.schema import Persona
from tests.personas.test_imported import CARD, SDIALOG


def test_coverage_of_the_library_and_of_files(run, tmp_path: Path, good: str) -> None:
    code, out, _ = run("list", "--coverage")
    assert code == 0
    (row,) = [line.split() for line in out.splitlines() if line.startswith("all ")]
    assert row[1] == str(len(library()))
    assert "\nholes\n  nobody speaks es\n" in out
    (tmp_path / "ana.yaml").write_text(good)
    covered = json.loads(run("list", tmp_path, "--coverage", "--json")[1])
    cell = {"task": "burnout", "speech": "warm", "language": "en", "desired_empathy": 3, "people": 1}
    assert (covered["people"], covered["cells"]) == (1, [cell])
    code, out, _ = run("list", tmp_path, "--coverage", "--quiet", "--task", "burnout")
    assert (code, out.splitlines()[-1]) == (
        0,
        "burnout: nobody speaks plain, terse or chatty, nobody desires 1 or 2 of 3",
    )
    assert run("list", tmp_path, "--quiet") == (0, "ana\n", "")


def test_effects_of_a_file(run, tmp_path: Path, good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ana.yaml").write_text(good)
    code, out, _ = run("check", "--effect", tmp_path / "ana.yaml")
    assert code == 0
    rows = [line.split(maxsplit=3) for line in out.splitlines()]
    assert ["goals.need", "2", "messages"] in rows
    assert ["id", "-", "nothing", "names the person in studies, journals and results"] in rows
    schema = Persona.model_json_schema()
    schema["properties"]["task"].pop("used_for")
    monkeypatch.setattr(measured, "_schema", lambda: schema)
    code, out, err = run("check", "--effect", tmp_path, "--quiet")
    assert (code, out) == (1, "")
    assert err == "ana: task changes nothing, and the schema does not say what it is for\n"
    code, out, _ = run("check", "--effect", tmp_path, "--json")
    effects = {each["field"]: each["changes"] for each in json.loads(out)["personas"]["ana"]}
    assert (code, json.loads(out)["ok"], effects["feelings[1]"], effects["task"]) == (1, False, "messages", "nothing")


def test_effects_of_a_persona_that_is_not_there(run) -> None:
    code, _, err = run("check", "--effect", "jun_prak")
    assert (code, "did you mean 'jun_park'?" in err) == (2, True)


def test_effects_of_two_files_of_one_id_are_refused_as_check_does(run, tmp_path: Path, good: str) -> None:
    ana, copy = tmp_path / "ana.yaml", tmp_path / "copy.yaml"
    for path in (ana, copy):
        path.write_text(good)
    (tmp_path / "jun.yaml").write_text(good.replace("id: ana", "id: jun_park"))
    taken = f"{copy}:1:5: persona id 'ana' is taken by {ana}:1:5; rename one"
    for names in ([ana, copy], [tmp_path / "jun.yaml", tmp_path / "ana.yaml", copy]):
        for options in ([], ["--effect"]):
            code, out, err = run("check", *options, *names)
            assert (code, out, err.strip()) == (2, "", taken)
    code, _, err = run("check", "--effect", "jun_park", tmp_path / "jun.yaml")
    assert code == 2
    assert err.startswith(f"{tmp_path / 'jun.yaml'}:1:5: persona id 'jun_park' is taken by ")
    code, out, _ = run("check", "--effect", "--json", ana, ana)  # given twice, it is one
    assert (code, list(json.loads(out)["personas"])) == (0, ["ana"])


def test_people_of_other_tools_become_files_that_pass(run, tmp_path: Path) -> None:
    for name, value in (("rosa", SDIALOG), ("kai", CARD)):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    (tmp_path / "people").mkdir()
    code, out, err = run("import", tmp_path / "rosa.json", "--from", "sdialog", "--out", tmp_path / "people", "--task", "burnout")  # fmt: skip # noqa: E501
    assert (code, err) == (0, "")
    assert "  left out: rules\n" in out
    assert "  a default, to be changed: goals, feelings, topics, speech, desired_empathy, patience\n" in out
    rosa = load_persona(tmp_path / "people" / "rosa_lima.yaml")
    assert (rosa.name, rosa.task, rosa.language) == ("Rosa Lima 😀", "burnout", "es")
    text = (tmp_path / "people" / "rosa_lima.yaml").read_text(encoding="utf-8")
    assert "# From rosa.json (sdialog).\n# Left out: rules.\n" in text
    code, out, _ = run("import", tmp_path / "kai.json", "--from", "card", "--out", tmp_path / "people", "--json")
    assert (code, json.loads(out)[0]["left_out"]) == (0, ["first_mes", "tags"])
    assert run("check", tmp_path / "people" / "kai.yaml")[0] == 0


def test_one_fault_and_nothing_is_written(run, tmp_path: Path) -> None:
    (tmp_path / "rosa.json").write_text(json.dumps(SDIALOG))
    (tmp_path / "again.json").write_text(json.dumps(SDIALOG))
    (tmp_path / "bad.json").write_text('{"name": 3}')
    (tmp_path / "out").mkdir()
    files = [tmp_path / f"{name}.json" for name in ("rosa", "again", "bad", "none")]
    code, _, err = run("import", *files, "--from", "sdialog", "--out", tmp_path / "out")
    assert code == 2
    told = [line.removeprefix(f"{tmp_path}/").split(": ")[0] for line in err.splitlines()]
    assert told == ["again.json", "bad.json:1:10", "none.json"]
    assert list((tmp_path / "out").iterdir()) == []
    code, _, err = run("import", files[0], "--from", "sdialog", "--out", tmp_path / "nowhere")
    assert (code, "its folder" in err) == (2, True)


def test_the_schema_knows_who_extends_another(run, good: str) -> None:
    schema = json.loads(run("schema")[1])
    Draft202012Validator.check_schema(schema)
    faults = Draft202012Validator(schema).iter_errors
    whole = yaml.safe_load(good)
    story = library()["jun_park"].story
    assert story is not None
    spoken = story.model_dump(mode="json")
    part = {"met": ["Just so."], "openings": {"practical": ["Short question."]}}
    assert not list(faults(whole))
    assert not list(faults(whole | {"story": spoken}))
    assert not list(faults({"extends": "jun_park", "id": "x", "story": part}))
    assert list(faults({"extends": "jun_park"}))
    assert list(faults({"extends": "jun_park", "id": "x", "patience": 0}))
    assert list(faults(whole | {"story": part}))
    assert list(faults({key: value for key, value in whole.items() if key != "speech"}))
