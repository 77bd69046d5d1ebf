"""``vary``: variants of a person are distinct, in range, spread evenly, and the same for the same seed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.personas.loading import library
from holdfast.personas.schema import Persona
from holdfast.personas.varying import VARIED, VaryConfig, variants_of

JUN = library()["jun_park"]
FIELDS = {
    "patience": [2, 5],
    "speech": ["terse", "plain"],
    "desired_empathy": [1, 3],
    "temperament": {"warmth": [0.2, 0.4]},
}


def config(**given: Any) -> VaryConfig:
    return VaryConfig.model_validate({"count": 8, "seed": 3, "fields": FIELDS, **given})


def test_values_are_in_range_and_spread_evenly() -> None:
    people = list(variants_of(JUN, config()).values())
    for number in (2, 3, 4, 5):
        assert [each.patience for each in people].count(number) == 2
    assert [each.speech for each in people].count("terse") == 4
    assert [each.desired_empathy for each in people].count(1) == 4
    warmth = sorted(each.temperament.warmth for each in people)
    assert all(0.2 + n * 0.025 - 0.005 <= value <= 0.2 + (n + 1) * 0.025 + 0.005 for n, value in enumerate(warmth))
    assert {each.temperament.reactivity for each in people} == {JUN.temperament.reactivity}


def test_a_range_narrower_than_a_hundredth_is_kept() -> None:
    narrow = config(fields={"temperament": {"warmth": [0.105, 0.108]}})
    assert all(0.105 <= each.temperament.warmth <= 0.108 for each in variants_of(JUN, narrow).values())


def test_ids_and_names_are_distinct_and_all_else_is_the_persons() -> None:
    long = JUN.model_copy(update={"name": "N" * 40})
    for person in (JUN, long):
        variants = variants_of(person, config())
        assert list(variants) == [f"jun_park-{number}" for number in range(1, 9)]
        assert len({each.name for each in variants.values()}) == 8
        for each in variants.values():
            assert Persona.model_validate(each.model_dump()) == each
            assert each.model_dump(exclude=set(VARIED)) == person.model_dump(exclude=set(VARIED))


def test_the_seed_and_the_person_decide() -> None:
    assert variants_of(JUN, config()) == variants_of(JUN, config())
    assert variants_of(JUN, config()) != variants_of(JUN, config(seed=4))
    other = variants_of(JUN.model_copy(update={"id": "jun_two"}), config())
    assert [each.patience for each in other.values()] != [each.patience for each in variants_of(JUN, config()).values()]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "varies nothing"),
        ({"temperament": {}}, "varies nothing"),
        ({"patience": [5, 2]}, "patience: goes from 5 down to 2"),
        ({"temperament": {"warmth": [1, 0]}}, "warmth: goes from 1 down to 0"),
        ({"patience": [0, 2]}, "greater than or equal to 1"),
        ({"speech": []}, "at least 1"),
        ({"speech": ["loud"]}, "'plain', 'warm'"),
        ({"name": ["Ana"]}, "Extra inputs"),
    ],
)
def test_what_varies_nothing_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config(fields=fields)
