import numpy as np
import pytest

from holdfast.simulator.measure.text.tactics import present_tactics, stickiness
from tests.simulator.measure.making import rng

NAN = float("nan")


def test_by_hand():
    # turns show {a}, {a, b}, {a, b}, {b}: equal to the one before at turn 3 only.
    # a is used before another turn 3 times (1, 2, 3) and again after 1 and 2: 2/3; b twice (2, 3), both times again: 1.
    # pairs of turns: 6, of which one (2 and 3) is equal: chance 1/6.
    found = stickiness(np.array([[[1, 0], [1, 1], [1, 1], [0, 1]]], dtype=float))
    np.testing.assert_array_equal(found.same_set, [[NAN, 0, 1, 0]])
    assert found.reused[0] == pytest.approx([2 / 3, 1])
    assert found.chance == pytest.approx([1 / 6])


def test_missing_turns_break_the_chain_and_unused_tactics_are_undefined():
    found = stickiness(np.array([[[1.0], [NAN], [1.0], [1.0]], [[0.0], [0.0], [NAN], [NAN]], [[NAN]] * 4]))
    np.testing.assert_array_equal(found.same_set, [[NAN, NAN, NAN, 1], [NAN, 1, NAN, NAN], [NAN] * 4])
    np.testing.assert_array_equal(found.reused, [[1], [NAN], [NAN]])
    np.testing.assert_array_equal(found.chance, [1, 1, NAN])


def test_levels_become_tactics():
    np.testing.assert_array_equal(present_tactics(np.array([0.49, 0.5, 2, NAN])), [0, 1, 1, NAN])


def test_independent_turns_are_as_sticky_as_chance():
    found = stickiness((rng(1).random((200, 60, 3)) < [0.5, 0.2, 0.7]).astype(float))
    # equal sets: (.5) (.04 + .64) (.49 + .09) = .1972
    assert np.nanmean(found.same_set) == pytest.approx(0.1972, abs=0.01)
    assert found.chance.mean() == pytest.approx(0.1972, abs=0.01)
    assert np.nanmean(found.reused, axis=0) == pytest.approx([0.5, 0.2, 0.7], abs=0.02)
