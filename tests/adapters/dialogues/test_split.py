from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.adapters.dialogues.split import Split, split_personas
from holdfast.core.errors import InputError
from holdfast.personas.loading import library
from tests.adapters.standins import persona

casts = st.integers(1, 3).flatmap(
    lambda held: st.tuples(
        st.just(held), st.lists(st.integers(held + 1, held + 5), min_size=1, max_size=5), st.integers(0, 2**63)
    )
)


@settings(max_examples=200, deadline=None)
@given(casts, st.randoms(use_true_random=False))
def test_no_persona_on_both_sides_and_every_task_on_each(
    cast: tuple[int, list[int], int], shuffler: random.Random
) -> None:
    held, sizes, seed = cast
    people = [persona(f"p{t}_{i}", f"task{t}") for t, size in enumerate(sizes) for i in range(size)]
    split = split_personas(people, seed, held)
    train, test = {p.id for p in split.train}, {p.id for p in split.test}
    assert not train & test
    assert train | test == {p.id for p in people}
    for number, size in enumerate(sizes):
        assert sum(p.task == f"task{number}" for p in split.test) == held
        assert sum(p.task == f"task{number}" for p in split.train) == size - held
    shuffler.shuffle(people)
    assert split_personas(people, seed, held) == split


def test_another_task_changes_nothing_and_the_seed_does() -> None:
    people = [persona(f"p{i}", "alpha") for i in range(6)]
    more = [*people, persona("q1", "beta"), persona("q2", "beta")]
    held = {p.id for p in split_personas(people, 3).test}
    assert held <= {p.id for p in split_personas(more, 3).test}
    assert len({split_personas(people, seed).test[0].id for seed in range(40)}) == 6


def test_the_shipped_personas_can_be_split() -> None:
    split = split_personas(library().values(), 0)
    assert len(split.test) == 8
    assert len(split.train) == len(library()) - 8 >= 16


def test_a_lonely_persona_is_a_clear_fault() -> None:
    with pytest.raises(InputError, match=r"task beta: has 1 persona\(s\) \(c\), and training needs 2 or more: 1 held"):
        split_personas([persona("a"), persona("b"), persona("c", "beta")], 0)


def test_two_of_one_id_are_a_clear_fault() -> None:
    with pytest.raises(InputError, match="persona a: given twice"):
        split_personas([persona("a"), persona("a"), persona("b")], 0)


def test_a_split_with_a_persona_on_both_sides_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="both sides of the split: a"):
        Split((persona("a"),), (persona("a"),), 0)
