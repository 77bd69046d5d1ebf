"""People of other tools: what becomes of their attributes, and untrusted files as one error with a place."""

from __future__ import annotations

import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.errors import InputError
from holdfast.personas.imported import LONGEST, SOURCES, ImportedPerson, Source, imported_person
from holdfast.personas.schema import NAME_LENGTH
from tests.personas.test_mutated import mutated

SDIALOG = {
    "name": "Rosa Lima 😀",
    "age": 41,
    "race": "",
    "gender": "female",
    "language": "Spanish",
    "role": "nurse",
    "background": "Works nights\nin Porto",
    "personality": "dry humour",
    "circumstances": "Her ward closes.",
    "rules": "be brief",
    "_metadata": {"className": "Persona", "id": 3},
}
DATA = {
    "name": "Kai",
    "description": "{{char}} bakes.",
    "personality": "warm",
    "scenario": "{{User}} helps {{CHAR}}.",
    "first_mes": "hi",
    "mes_example": "",
    "tags": ["a"],
    "extensions": {},
}
CARD = {"spec": "chara_card_v2", "spec_version": "2.0", "data": DATA}


def load(folder: Path, value: Any, source: Source, **how: Any) -> ImportedPerson:
    path = folder / "one.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value, **how), encoding="utf-8")
    return imported_person(path, source)


@pytest.mark.parametrize("how", [{}, {"indent": "\t"}, {"ensure_ascii": False, "indent": 1}])
def test_a_persona_of_sdialog(tmp_path: Path, how: dict[str, Any]) -> None:
    person = load(tmp_path, SDIALOG, "sdialog", **how)
    assert (person.draft.name, person.draft.language) == ("Rosa Lima 😀", "es")
    assert person.draft.background == "41, female, nurse. Works nights in Porto. dry humour. Her ward closes."
    assert person.left_out == ("rules",)


def test_a_language_that_nobody_speaks_is_left_out(tmp_path: Path) -> None:
    person = load(tmp_path, {**SDIALOG, "language": "Klingon"}, "sdialog")
    assert person.draft.language is None
    assert person.left_out[-1] == "language 'klingon', which embedded users do not speak"


@pytest.mark.parametrize("card", [CARD, {**CARD, "spec": "chara_card_v3"}, DATA], ids=["2", "3", "1"])
def test_a_character_card(tmp_path: Path, card: dict[str, Any]) -> None:
    person = load(tmp_path, card, "card")
    assert (person.draft.name, person.draft.background) == ("Kai", "Kai bakes. warm. the assistant helps Kai.")
    assert person.left_out == ("first_mes", "tags")


def test_a_long_text_is_cut_at_a_sentence_and_said(tmp_path: Path) -> None:
    person = load(tmp_path, {**DATA, "description": "He bakes a lot of bread. " * 200}, "card")
    assert person.draft.background is not None
    assert LONGEST - 30 < len(person.draft.background) <= LONGEST
    assert person.draft.background.endswith("bread.")
    assert any("characters past a background's 2,000" in each for each in person.left_out)


@pytest.mark.parametrize(
    ("text", "source", "fault"),
    [
        ('{"name": "x",\n "age": [1]}', "sdialog", "2:9: age: expected a whole number, a number, text"),
        ('{"name": "a\\u001bb"}', "sdialog", "1:10: hidden character U+001B"),
        ('{"name": "a\\ud83d"}', "sdialog", "1:10: hidden character U+D83D"),
        ('{"name": "x",\n "age": }', "card", "2:9: not valid JSON: Expecting value"),
        ('{"name": 3}', "card", "1:10: name: expected text"),
        ('{"name": "a", "name": "b"}', "card", "1:15: key 'name' is given twice"),
        ("[" * 5000, "card", "1:1: not valid JSON"),
        ('{"a": ' * 40 + "1" + "}" * 40, "card", "1:193: nested more than 32 levels deep"),
        ("[]", "sdialog", "1:1: expected a mapping of a person's attributes, got a list"),
        ('"Rosa"', "sdialog", "1:1: expected a mapping of a person's attributes, got a single value"),
        ('{"spec": "chara_card_v9", "data": {}}', "card", "1:10: spec: expected chara_card_v2 or chara_card_v3"),
        ('{"spec": "chara_card_v2"}', "card", "1:1: key 'data' is missing"),
        ('{"who": "Rosa"}', "sdialog", "1:1: says nothing of a person that sdialog knows; is it another format?"),
        ("", "card", "1:1: not valid JSON"),
    ],
)
def test_what_is_no_person_is_one_error_with_its_place(tmp_path: Path, text: str, source: Source, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text, source)
    (told,) = str(caught.value).splitlines()
    assert told.startswith(f"{tmp_path}/one.json:{fault}")


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bytes where at most 1,000,000 are read"):
        load(tmp_path, {"name": "x" * 1_000_001}, "card")
    with pytest.raises(InputError, match=r"1:17: description: expected text of at most 200000 characters"):
        load(tmp_path, {"description": "x" * 300_000}, "card")


@pytest.mark.parametrize("source", SOURCES)
def test_broken_files_are_errors(tmp_path: Path, source: Source) -> None:
    rng, refused = random.Random(source), 0
    valid = json.dumps(SDIALOG if source == "sdialog" else CARD, indent=1).encode()
    for _ in range(300):
        (tmp_path / "one.json").write_bytes(mutated(valid, rng))
        try:
            imported_person(tmp_path / "one.json", source)
        except InputError as error:
            refused += bool(str(error).strip())
    assert refused > 100


def test_a_name_in_many_slots_does_not_fill_the_memory(tmp_path: Path) -> None:
    card = {"name": "N" * 200_000, "description": "{{char}}" * 25_000}
    tracemalloc.start()
    try:
        person = load(tmp_path, card, "card")
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()
    assert person.draft.name == "N" * NAME_LENGTH
