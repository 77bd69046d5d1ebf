"""A study's own people: read with the study, kept in what a run writes, and varied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.core.errors import InputError
from holdfast.core.yaml_source import MAX_VALUES
from holdfast.personas.loading import library
from holdfast.simulator.config import study_file
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.recorded import recorded_plan, world_json
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import PEOPLE, load_study, write_study
from tests.personas.conftest import GOOD

VARY = "vary: {count: 3, seed: 3, fields: {patience: [2, 4], speech: [terse, plain]}}"


def load(folder: Path, personas: str, more: str = "") -> StudyConfig:
    path = folder / "study.yaml"
    path.write_text(f"candidates: [base]\nturns: 2\npersonas: {personas}\n{more}", encoding="utf-8")
    return load_study(path)


def test_a_run_is_remade_without_the_files(tmp_path: Path) -> None:
    (tmp_path / "ana.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bea.yaml").write_text("extends: ana.yaml\nid: bea\npatience: 9\n", encoding="utf-8")
    study = load(tmp_path, "{files: [bea.yaml]}")
    write_study(study, tmp_path / "run" / "study.yaml")
    for name in ("ana", "bea"):
        (tmp_path / f"{name}.yaml").unlink()
    again = load_study(tmp_path / "run" / "study.yaml")
    assert again == study
    assert resolve(again).sha256 == resolve(study).sha256
    assert [each.patience for each in resolve(again).personas.values()] == [9]


@pytest.mark.parametrize(("most", "apart"), [(MAX_VALUES, False), (150, True)])
def test_people_too_many_for_one_file_have_a_file_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, apart: bool
) -> None:
    monkeypatch.setattr(study_file, "MAX_VALUES", most)
    people = tmp_path / "mine"
    people.mkdir()
    for number in range(4):
        (people / f"p{number}.yaml").write_text(GOOD.replace("id: ana", f"id: p{number}"), encoding="utf-8")
    study = load(tmp_path, "{files: [mine]}")
    for _ in range(2):  # a run that goes on writes its study again
        write_study(study, tmp_path / "run" / "study.yaml")
    written = tmp_path / "run" / "study.yaml"
    assert (tmp_path / "run" / PEOPLE).exists() == apart
    assert resolve(load_study(written)).sha256 == resolve(study).sha256


def test_people_may_be_written_out_and_are_checked(tmp_path: Path) -> None:
    written = "\n".join(f"    {line}" for line in GOOD.splitlines())
    assert list(resolve(load(tmp_path, f"\n  files:\n  -\n{written}")).personas) == ["ana"]
    wrong = written.replace("after: [rest]", "after: [rset]").replace("task: burnout", "task: burnot")
    with pytest.raises(InputError) as caught:
        load(tmp_path, f"\n  files:\n  -\n{wrong}")
    places = [str(fault).removeprefix(f"{tmp_path}/").split(": ")[0] for fault in caught.value.faults]
    assert places == ["study.yaml:8:11", "study.yaml:14:68"]


def test_who_is_written_out_may_extend_another(tmp_path: Path) -> None:
    (tmp_path / "ana.yaml").write_text(GOOD, encoding="utf-8")
    written = "{files: [{extends: ana.yaml, id: bea, patience: 9}, {extends: jun_park, id: jun_two, name: Jun}]}"
    study = load(tmp_path, written)
    people = resolve(study).personas
    assert {id: (each.name, each.patience) for id, each in people.items()} == {
        "bea": ("Ana Silva", 9),
        "jun_two": ("Jun", library()["jun_park"].patience),
    }
    write_study(study, tmp_path / "run" / "study.yaml")
    (tmp_path / "ana.yaml").unlink()
    assert load_study(tmp_path / "run" / "study.yaml") == study


@pytest.mark.parametrize(
    ("personas", "expected"),
    [
        ("[{extends: jun_prak, id: x}]", ["study.yaml:3:30: no persona 'jun_prak' to extend; did you mean"]),
        ("[{extend: jun_park, id: x}]", ["study.yaml:3:21: unknown key 'extend'; did you mean 'extends'?"]),
        ("[{extends: jun_park}]", ["study.yaml:3:20: key 'id' is missing; add it: who extends another has an id"]),
        ("[{extends: study.yaml, id: x}]", ["study.yaml:3:30: extends study.yaml: is a study, not a persona"]),
        ("[{extends: jun_park, id: x, patience: 0}]", ["study.yaml:3:57: personas.files[1].patience: expected"]),
        ("[{extends: ana.yaml, id: x}]", ["ana.yaml:12:18: personas.files[1].desired_empathy: expected 1, 2 or 3"]),
        (
            "[{extends: nobody, id: x}, {extends: b.yaml, id: y}]",
            ["study.yaml:3:30: no persona 'nobody' to extend", "study.yaml:3:56: no file 'b.yaml' to extend"],
        ),
    ],
)  # fmt: skip
def test_a_wrong_parent_of_who_is_written_out_is_one_fault(tmp_path: Path, personas: str, expected: list[str]) -> None:
    (tmp_path / "ana.yaml").write_text(GOOD.replace("desired_empathy: 3", "desired_empathy: 7"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(tmp_path, f"{{files: {personas}}}")
    shown = str(caught.value).replace(f"{tmp_path}/", "").splitlines()
    assert len(shown) == len(expected)
    assert all(map(str.startswith, shown, expected)), shown


def test_variants_are_agents_of_their_persona(tmp_path: Path) -> None:
    plan = resolve(load(tmp_path, f"{{ids: [jun_park, amara_okafor], {VARY}}}"))
    assert list(plan.personas) == ["amara_okafor", "jun_park"]
    assert {(spec.persona, spec.agent) for spec in plan.episodes} == {
        (id, f"{id}-{number}") for id in plan.personas for number in (1, 2, 3)
    }
    assert len({plan.person(spec).name for spec in plan.episodes}) == 6
    assert sorted(each.patience for each in plan.variants.values()) == [2, 2, 3, 3, 4, 4]


def test_those_who_are_tested_are_varied_not_those_who_train(tmp_path: Path) -> None:
    plan = resolve(load(tmp_path, f"{{tasks: [burnout], {VARY}}}", "training: {}\n"))
    assert plan.split is not None
    assert {id.rpartition("-")[0] for id in plan.variants} == {each.id for each in plan.split.test}
    assert not {each.id for each in plan.split.train} & {spec.persona for spec in plan.episodes}


def test_a_journal_keeps_the_variants(tmp_path: Path) -> None:
    plan = resolve(load(tmp_path, f"{{ids: [jun_park], {VARY}}}"))
    meta = {"study": plan.fingerprint, "study_sha256": plan.sha256, "world": world_json(plan)}
    again: Plan = recorded_plan(meta, tmp_path / "journal.sqlite")
    assert again.variants == plan.variants
    assert resolve(load(tmp_path, "{ids: [jun_park]}")).sha256 != plan.sha256
    assert "variants" not in json.loads(resolve(load(tmp_path, "{ids: [jun_park]}")).fingerprint)


@pytest.mark.parametrize(
    ("personas", "more", "fault"),
    [
        (f"{{{VARY}}}", "population: {size: 3}", "'personas.vary' and 'population' both make several of one persona"),
        ("{vary: {count: 3}}", "", r":3:18: personas.vary: key 'fields' is missing"),
        ("{vary: {count: 0, fields: {patience: [1, 2]}}}", "", r":3:26: personas.vary.count: expected a whole number"),
        ("{vary: {count: 2, fields: {patiense: [1, 2]}}}", "", r":3:38: unknown key 'patiense'; did you mean"),
        ("{vary: {count: 2, fields: {patience: [4, 2]}}}", "", r"patience: goes from 4 down to 2"),
        ("{vary: {count: 2, fields: {patience: 4}}}", "", r":3:48: .*patience: expected"),
    ],
)  # fmt: skip
def test_what_cannot_be_varied(tmp_path: Path, personas: str, more: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        load(tmp_path, personas, more)
