"""``extends``: what is inherited, where a fault of it is told, and what is no parent."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.core.errors import InputError
from holdfast.personas import loading
from holdfast.personas.extending import MOST_PARENTS
from holdfast.personas.loading import library, load_persona, load_personas
from tests.personas.conftest import GOOD


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_persona(path)
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


def test_the_library_has_its_files_by_id() -> None:
    assert set(loading._library_files()) == set(library())


def test_keys_of_a_mapping_are_merged_and_lists_replaced(tmp_path: Path) -> None:
    write(tmp_path, "ana.yaml", GOOD)
    text = "extends: ana.yaml\nid: bea\ntemperament: {warmth: 0.9}\ntopics: [the train]\n"
    parent, child = load_persona(tmp_path / "ana.yaml"), load_persona(write(tmp_path, "bea.yaml", text))
    assert (child.id, child.name, child.goals) == ("bea", parent.name, parent.goals)
    assert (child.temperament.reactivity, child.temperament.warmth) == (0.5, 0.9)
    assert child.topics == ("the train",)


def test_of_the_library_by_id_with_its_story(tmp_path: Path) -> None:
    child = load_persona(write(tmp_path, "j.yaml", "extends: jun_park\nid: jun_two\nstory: {met: [Just so.]}\n"))
    parent = library()["jun_park"]
    assert child.story is not None
    assert parent.story is not None
    assert child.story == parent.story.model_copy(update={"met": ("Just so.",)})


def test_a_chain_takes_the_nearest_value(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path, "ana.yaml", GOOD)
    write(tmp_path / "deep", "bea.yaml", "extends: ../ana.yaml\nid: bea\npatience: 9\nname: Bea\n")
    cleo = load_persona(write(tmp_path, "cleo.yaml", "extends: deep/bea.yaml\nid: cleo\nname: Cleo\n"))
    assert (cleo.id, cleo.name, cleo.patience, cleo.task) == ("cleo", "Cleo", 9, "burnout")
    assert {each.id for each in load_personas([tmp_path, tmp_path / "deep"])} == {"ana", "bea", "cleo"}


def test_a_fault_that_is_inherited_is_told_where_it_stands(tmp_path: Path) -> None:
    write(tmp_path, "ana.yaml", GOOD.replace("desired_empathy: 3", "desired_empathy: 7"))
    child = write(tmp_path, "bea.yaml", "extends: ana.yaml\nid: bea\npatience: 0\n")
    told = faults_of(child)
    assert [line.split(": ")[0] for line in told] == ["bea.yaml:3:11", "ana.yaml:12:18"]
    assert "expected 1, 2 or 3, got 7" in told[1]


def test_what_nobody_gives_is_missing_in_the_child(tmp_path: Path) -> None:
    write(tmp_path, "ana.yaml", GOOD.replace("speech: warm\n", ""))
    (told,) = faults_of(write(tmp_path, "bea.yaml", "extends: ana.yaml\nid: bea\n"))
    assert told.startswith("bea.yaml:1:1: key 'speech' is missing; add it")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("extends: jun_prak\nid: x", "x.yaml:1:10: no persona 'jun_prak' to extend; did you mean 'jun_park'?"),
        ("id: x\nextends: anna.yaml", "x.yaml:2:10: no file 'anna.yaml' to extend; did you mean 'ana.yaml'?"),
        ("extends: 3\nid: x", "x.yaml:1:10: extends: expected the id of a persona or a file, got 3"),
        ("extends:\nid: x", "x.yaml:1:1: extends: expected the id of a persona or a file, got nothing"),
        ("extend: ana.yaml\nid: x", "x.yaml:1:1: unknown key 'extend'; did you mean 'extends'?"),
        ("extends: ana.yaml", "x.yaml:1:1: key 'id' is missing; add it: who extends another has an id of its own"),
        ("extends: ana.yaml\nid: ana", "x.yaml:2:5: id 'ana' is that of the persona it extends; rename it"),
        ("extends: x.yaml\nid: x", "x.yaml:1:10: personas extend each other in a circle: 'x.yaml' → 'x.yaml'"),
        ("extends: list.yaml\nid: x", "list.yaml:1:1: holds no persona"),
        ("extends: folder.yaml\nid: x", "x.yaml:1:10: extends folder.yaml: is a folder where a file is expected"),
        ("extends: study.yaml\nid: x", "x.yaml:1:10: extends study.yaml: is a study, not a persona"),
        ("extends: ana.yaml\nid: x\ngoals: {}", "x.yaml:3:8: goals: expected a list of 1 to 12 items"),
    ],
)
def test_what_cannot_be_extended(tmp_path: Path, text: str, expected: str) -> None:
    write(tmp_path, "ana.yaml", GOOD)
    write(tmp_path, "list.yaml", "- a\n")
    write(tmp_path, "study.yaml", "candidates: [base]\nturns: 3\n")
    (tmp_path / "folder.yaml").mkdir()
    (told,) = faults_of(write(tmp_path, "x.yaml", text + "\n"))
    assert told.startswith(expected)


def test_a_circle_and_a_long_chain_end(tmp_path: Path) -> None:
    write(tmp_path, "b.yaml", "extends: c.yaml\nid: b\n")
    (told,) = faults_of(write(tmp_path, "c.yaml", "extends: ./b.yaml\nid: c\n"))
    assert told.endswith("circle: 'c.yaml' → 'b.yaml' → 'c.yaml'; remove one 'extends'")
    for number in range(MOST_PARENTS + 3):
        write(tmp_path, f"n{number}.yaml", f"extends: n{number + 1}.yaml\nid: n{number}\n")
    (told,) = faults_of(tmp_path / "n0.yaml")
    assert told == f"n{MOST_PARENTS}.yaml:1:10: more than {MOST_PARENTS} parents in a row; join some of them"


def test_words_that_a_person_never_says_are_a_fault(tmp_path: Path) -> None:
    never = "extends: jun_park\nid: j\nstory: {never: [So true, As AN AI], met: ['As an AI, I agree.']}\n"
    (told,) = faults_of(write(tmp_path, "j.yaml", never))
    assert told.startswith("j.yaml:3:43: says 'As an AI', which story.never rules out")
