from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.users.emotion import (
    GAIN,
    LARGEST_CHANGE,
    LOSS_WEIGHT,
    expectation,
    next_emotion,
    surprise,
)
from holdfast.personas.schema import Temperament

shares = st.floats(0, 1)
temperaments = st.builds(Temperament, reactivity=shares, stickiness=shares, warmth=shares)


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 100), st.floats(-12, 12), shares, temperaments, st.integers(0, 2**63))
def test_emotion_stays_in_bounds_and_moves_in_small_steps(
    emotion: float, momentum: float, satisfaction: float, temperament: Temperament, seed: int
) -> None:
    after, change = next_emotion(emotion, momentum, satisfaction, temperament, seed)
    assert 0.0 <= after <= 100.0
    assert abs(change) <= LARGEST_CHANGE + 1e-9
    assert after == pytest.approx(emotion + change)
    assert (after, change) == next_emotion(emotion, momentum, satisfaction, temperament, seed)


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 100), st.floats(-12, 12), st.tuples(shares, shares), temperaments, st.integers(0, 2**63))
def test_a_better_reply_never_leaves_one_lower(
    emotion: float, momentum: float, replies: tuple[float, float], temperament: Temperament, seed: int
) -> None:
    low, _ = next_emotion(emotion, momentum, min(replies), temperament, seed)
    high, _ = next_emotion(emotion, momentum, max(replies), temperament, seed)
    assert low <= high


def test_a_poor_reply_hurts_more_than_a_good_one_helps() -> None:
    expected = expectation(40.0)
    assert expected == pytest.approx(0.39)
    assert surprise(expected, 40.0) == 0.0
    assert surprise(expected + 0.2, 40.0) == pytest.approx(0.2)
    assert surprise(expected - 0.2, 40.0) == pytest.approx(-0.2 * LOSS_WEIGHT)


def test_one_change_by_hand() -> None:
    # In the same moment, replies differ by GAIN * reactivity * difference; momentum enters by stickiness.
    calm = Temperament(reactivity=0.5, stickiness=0.6)
    at = expectation(50.0)
    _, none = next_emotion(50.0, 0.0, at, calm, seed=3)
    _, pleased = next_emotion(50.0, 0.0, at + 0.1, calm, seed=3)
    _, carried = next_emotion(50.0, 2.0, at, calm, seed=3)
    assert pleased - none == pytest.approx(GAIN * 0.5 * 0.1)
    assert carried - none == pytest.approx(0.6 * 2.0)
