"""What is counted in a dialogue, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.raters.dialogue.features import PER_TURN, WAYS, dense_features
from holdfast.agents.raters.dialogue.window import WindowTurn

DIALOGUE = (
    WindowTurn("My dog died!", "What dog? You should get a new dog."),
    WindowTurn("Thanks, no.", "Get a new dog."),
)
LEVELS = np.array([[0.5, 0, 2], [1.5, 0, 0]])


def counted(name: str, way: str) -> float:
    found = dense_features(DIALOGUE, LEVELS, (way,))
    return float(found[PER_TURN.index(name)])


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("reply_length", math.log(9), math.log(5)),
        ("emotional_reaction", 0.5, 1.5),
        ("reply_asks", 1, 0),
        ("user_exclaims", 1, 0),
        ("echo_of_message", 1 / 2, 0),  # dog, new: dog echoes; then nothing of "thanks"
        ("echo_of_all", 1 / 2, 1 / 2),  # and the second "dog" was said before
        ("repeats_itself", 0, 1),  # both replies speak of {dog, new}
        ("variety", 7 / 8, 1),  # "dog" twice in eight words
        ("new_words", 7 / 8, 0),
        ("advice", 10 / 8, 0),
        ("user_thanks", 0, 1),
        ("user_denies", 0, 1),
        ("user_feels", math.tanh(-1), 0),  # "died"
        ("user_goes_on", 0, math.log(3)),  # a first message reacts to nothing
    ],
)
def test_by_hand(name: str, first: float, last: float) -> None:
    assert counted(name, "before last") == pytest.approx(first)
    assert counted(name, "last") == pytest.approx(last)
    assert counted(name, "mean") == pytest.approx((first + last) / 2)
    assert counted(name, "largest") == pytest.approx(max(first, last))


def test_no_dialogue_is_all_zeros() -> None:
    assert dense_features((), np.zeros((0, 3)), WAYS).tolist() == [0] * (len(WAYS) * len(PER_TURN))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), min_size=1, max_size=5))
def test_any_text_gives_finite_numbers(lines: list[tuple[str, str]]) -> None:
    dialogue = [WindowTurn(*line) for line in lines]
    found = dense_features(dialogue, np.zeros((len(dialogue), 3)), WAYS)
    assert found.shape == (len(WAYS) * len(PER_TURN),)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 15
