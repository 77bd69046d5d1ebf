import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.simulator.measure.bootstrap import Resamples, all_alike
from holdfast.simulator.measure.decay.retention import first_turns, quarter_means, quarter_of, quarters, retention
from tests.simulator.measure.making import rng


@pytest.mark.parametrize(
    ("length", "first", "last"),
    [
        (24, [1, 2, 3, 4, 5, 6], [19, 20, 21, 22, 23, 24]),
        (10, [1, 2], [9, 10]),
        (7, [1], [7]),
        (2, [1], [2]),
        (1, [], []),  # a single turn has no quarters
    ],
)
def test_which_turns_are_the_quarters(length, first, last):
    masks = quarters(np.array([length]), 24)
    assert [(np.flatnonzero(mask[0]) + 1).tolist() for mask in masks] == [first, last]


def test_by_hand():
    # Eight turns: quarters are turns 1-2 and 7-8.
    # ana: first (1 + .8) / 2 = .9, last (.5 + .4) / 2 = .45; ben: first .7, last .35.
    # Retention (.8 / 2) / (1.6 / 2) = .5
    ana = [1.0, 0.8, 0, 0, 0, 0, 0.5, 0.4]
    ben = [0.7, 0.7, 1, 1, 1, 1, 0.3, 0.4]
    quarters_of = quarter_means(np.array([ana, ben] * 3), np.full(6, 8))
    interval = retention(*quarters_of, Resamples.of(list("abcdef"), rng()))
    assert interval.mean == pytest.approx(0.5)
    assert np.isnan([interval.lo, interval.hi]).all()  # .45/.9 = .35/.7: every resample, so that there are no limits
    assert interval.reason == all_alike(6)


def test_who_ended_early_counts_in_the_first_quarter_only():
    # ana: first 1, last .5. ben left after turn 3: first .5, no last. Retention .5 / ((1 + .5) / 2) = 2/3, n = 1.
    ana = [1.0, 1, 1, 1, 1, 1, 0.5, 0.5]
    ben = [0.5, 0.5, 0.5, *[np.nan] * 5]
    interval = retention(*quarter_means(np.array([ana, ben]), np.array([8, 8])), Resamples.of(["ana", "ben"], rng()))
    assert interval.mean == pytest.approx(2 / 3)
    assert interval.n == 1
    assert np.isnan(interval.lo)  # one persona left in the last quarter


def test_who_left_within_the_last_quarter_gives_what_it_has():
    _, last = quarter_means(np.array([[1.0, 1, 1, 1, 1, 1, 0.5, np.nan]]), np.array([8]))
    assert last.tolist() == [0.5]


def test_the_quarters_follow_each_episodes_own_plan():
    # planned for 4 of 8 turns: quarters are turns 1 and 4
    first, last = quarter_means(np.array([[1.0, 0, 0, 0.25, *[np.nan] * 4]]), np.array([4]))
    assert (first.tolist(), last.tolist()) == ([1.0], [0.25])


def test_undefined():
    two = Resamples.of(["a", "b"], rng())
    nobody_there = np.array([[1.0, 1, np.nan, np.nan]] * 2)
    assert np.isnan(retention(*quarter_means(nobody_there, np.array([4, 4])), two).mean)
    never_adhered = np.zeros((2, 4))
    assert np.isnan(retention(*quarter_means(never_adhered, np.array([4, 4])), two).mean)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 40), st.integers(0, 20))
def test_quarters_are_equal_apart_and_inside(length, more):
    first, last = quarters(np.array([length]), length + more)
    assert first.sum() == last.sum() == max(1, length // 4)
    assert not (first & last).any()
    assert np.flatnonzero(last[0])[-1] == length - 1


@settings(max_examples=50, deadline=None)
@given(st.floats(0.1, 1), st.integers(2, 30))
def test_a_level_curve_keeps_everything(level, length):
    quarters_kept = quarter_means(np.full((5, length), level), np.full(5, length))
    interval = retention(*quarters_kept, Resamples.of(list("abcde"), rng()))
    assert (interval.mean, interval.reason) == (pytest.approx(1), all_alike(5))


def test_the_first_two_turns():
    # (1 + .5) / 2; .25 alone, where the conversation ended after one turn; nan where it never began
    values = np.array([[1.0, 0.5, 0.0], [0.25, np.nan, np.nan], [np.nan] * 3])
    assert first_turns(values) == pytest.approx([0.75, 0.25, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("turn", "planned", "quarter"),
    [(1, 8, 1), (2, 8, 1), (3, 8, 2), (8, 8, 4), (1, 2, 1), (2, 2, 3), (1, 1, 1), (9, 8, 4)],
)
def test_every_turn_lies_in_a_quarter(turn, planned, quarter):
    assert quarter_of(turn, planned) == quarter


def test_the_quarters_of_all_turns_at_once():
    turns, planned = np.arange(1, 9)[None, :], np.array([8, 4])[:, None]
    assert quarter_of(turns, planned).tolist() == [[1, 1, 2, 2, 3, 3, 4, 4], [1, 2, 3, 4, 4, 4, 4, 4]]
