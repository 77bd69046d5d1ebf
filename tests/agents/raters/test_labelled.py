"""Folds that never part a person."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.raters.labelled import folds_by_person


@settings(max_examples=200)
@given(st.lists(st.sampled_from("abcdefgh"), max_size=40), st.integers(1, 6), st.integers(0, 3))
def test_a_person_is_in_one_fold_and_folds_are_near_in_size(people: list[str], folds: int, seed: int) -> None:
    found = folds_by_person(people, folds, seed)
    by_person = {
        person: {int(fold) for one, fold in zip(people, found, strict=True) if one == person} for person in people
    }
    assert all(len(each) == 1 for each in by_person.values())
    sizes = np.bincount([fold for each in by_person.values() for fold in each]) if people else np.zeros(1)
    assert sizes.max() - sizes.min() <= 1
    assert np.array_equal(found, folds_by_person(people, folds, seed))
