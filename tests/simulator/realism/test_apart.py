"""Two sources told apart: which classifier counts, equal samples, and what is masked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from holdfast.simulator.realism.apart import LabelledTexts, told_apart
from holdfast.simulator.realism.masking import MASK
from holdfast.simulator.realism.talks import TalkSource, UserTalk

SAID = ("i cant sleep", "she left on monday", "what now", "it is all my fault", "nobody calls", "the dog died too")


def source(name: str, people: int, turns: int, mark: str = "", simulated: bool = False) -> TalkSource:
    rng = np.random.default_rng(len(name))
    talks = [
        UserTalk(f"{name}{person}", tuple(f"{rng.choice(SAID)}{mark}" for _ in range(turns)))
        for person in range(people)
    ]
    return TalkSource(name, simulated, tuple(talks))


def sees_marks(texts: Sequence[str]) -> np.ndarray:
    """An encoder that sees a mark which no word is."""
    return np.array([[float("!" in text), float("?" in text)] for text in texts])


def test_the_larger_of_both_classifiers_counts() -> None:
    results = told_apart(source("users", 12, 3, "!", simulated=True), source("people", 12, 5, "?"), 0, sees_marks)
    messages, *_ = [each for each in results if (each.unit, each.wording) == ("message", "masked")]
    assert messages.encoder.mean == 1
    assert messages.words.mean < 0.75  # the words are the same ones
    assert messages.larger == messages.encoder
    assert not messages.floor
    levelled = next(each for each in results if each.wording == "levelled")
    assert levelled.unit == "message"


def test_samples_are_equal_and_conversations_are_cut_to_the_shorter() -> None:
    results = told_apart(source("few", 8, 3), source("many", 20, 6), 0, None)
    by = {(each.unit, each.wording): each for each in results}
    assert all(each.floor and each.encoder is None and each.larger == each.words for each in results)
    assert by["message", "raw"].words.n == 2 * 8 * 3  # three turns that both have, eight messages of each
    assert by["conversation", "raw"].words.n == 2 * 8
    assert by["message", "raw"].turns == by["conversation", "raw"].turns == 3
    assert by["message", "raw"].masked_share == (0, 0)
    assert min(by["message", "masked"].masked_share) > 0  # "my fault", "the dog"


def test_a_name_on_both_sides_is_two_people() -> None:
    both = LabelledTexts(("a", "b"), ("1", "1"), np.array([1, 0]), 1)
    assert len(set(both.writers)) == 2


def test_the_encoder_is_shown_masks() -> None:
    shown: list[str] = []

    def keeps(texts: Sequence[str]) -> np.ndarray:
        shown.extend(texts)
        return np.ones((len(texts), 2))

    told_apart(source("few", 8, 3), source("many", 8, 3), 0, keeps)
    assert any(f"the {MASK} died too" in text for text in shown)
    assert any("the dog died too" in text for text in shown)  # raw


@pytest.mark.parametrize("people", [1, 4])
def test_below_five_people_nothing_is_tested(people: int) -> None:
    results = told_apart(source("few", people, 3), source("many", 20, 3), 0, sees_marks)
    assert all(each.untested.startswith("few: ") and each.words.mean is None for each in results)
