import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight

from holdfast.simulator.measure.decay.leaving import BROKEN, LEFT, cumulative_incidence, leaving, user_left
from tests.simulator.measure.making import rng

NAN = float("nan")
HELD, POOR = 0.9, 0.1


def conversation(good, poor=0, turns=10):
    return [HELD] * good + [POOR] * poor + [NAN] * (turns - good - poor)


def shares(points):
    return np.array([point.share for point in points], dtype=np.float64)


def test_by_hand():
    # Four conversations of up to 10 turns; a run is 3, so a conversation of L turns is known to hold until L - 2.
    # a breaks at 5; b was left after turn 6, known until 4; c was left after turn 2: at turn 1; d holds to 10 (8).
    values = np.array([conversation(4, 6), conversation(6), conversation(2), conversation(10)])
    found = leaving(values, np.array([False, True, True, False]))
    assert (found.n, found.broken, found.left, found.dropped) == (4, 1, 2, 0)
    # leaving as censoring: c is too short and drops out; at risk 3 until b goes at 4; at 5 one of two breaks: 1/2
    assert shares(found.survival_leaving_as_censoring).tolist() == pytest.approx([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5])
    # leaving as an event: 1 of 4 at turn 1, 1 of 3 at 4, 1 of 2 at 5: 3/4, 3/4 * 2/3 = 1/2, 1/4
    assert shares(found.survival_leaving_as_event).tolist() == pytest.approx(
        [0.75, 0.75, 0.75, 0.5, 0.25, 0.25, 0.25, 0.25]
    )
    # left: 1/4 at turn 1, then 3/4 * 1/3 more at turn 4; broken: 1/2 * 1/2 at turn 5
    assert shares(found.incidence_left).tolist() == pytest.approx([0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5])
    assert shares(found.incidence_broken).tolist() == pytest.approx([0, 0, 0, 0, 0.25, 0.25, 0.25, 0.25])


def test_nobody_left_and_nothing_there():
    found = leaving(np.array([conversation(4, 6), conversation(10)]), np.array([False, False]))
    assert found.survival_leaving_as_event == found.survival_leaving_as_censoring
    assert (shares(found.incidence_left) == 0).all()
    assert {point.lo for point in found.incidence_left} == {None}
    empty = leaving(np.full((2, 5), NAN), np.array([True, False]))
    assert (empty.n, empty.dropped, len(empty.incidence_left)) == (0, 2, 0)


def test_parity_with_statsmodels():
    draw = rng(2)
    time, cause = draw.integers(1, 12, 200), draw.integers(0, 3, 200)
    theirs = CumIncidenceRight(time, cause)
    for of in (BROKEN, LEFT):
        ours = cumulative_incidence(time, cause, of)
        at = np.isin(ours.turn, theirs.times)
        assert ours.share[at] == pytest.approx(theirs.cinc[of - 1])
        inside = ours.share > 0
        assert (ours.lo[inside] < ours.share[inside]).all()
        assert (ours.hi[inside] > ours.share[inside]).all()


def test_one_who_left_before_the_planned_end_of_a_closed_conversation():
    length, planned = np.array([6, 10, 6, 0, 6]), np.full(5, 10)
    closed = np.array([True, True, False, True, True])  # the third failed, or still runs
    assert user_left(length, planned, closed).tolist() == [True, False, False, False, True]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 30), st.integers(1, 14))
def test_bounds_are_ordered_and_causes_add_up(seed, episodes, turns):
    draw = rng(seed)
    values = draw.uniform(0.3, 1, (episodes, turns))
    length = draw.integers(1, turns + 1, episodes)
    values[np.arange(turns) >= length[:, None]] = np.nan
    found = leaving(values, (length < turns) & (draw.random(episodes) < 0.7))
    upper, lower = shares(found.survival_leaving_as_censoring), shares(found.survival_leaving_as_event)
    assert (lower[: len(upper)] <= upper + 1e-12).all()
    broken = shares(found.incidence_broken)
    assert lower + broken + shares(found.incidence_left) == pytest.approx(np.ones(len(broken)))
    assert (broken[: len(upper)] <= 1 - upper + 1e-12).all() or found.left
    assert found.n + found.dropped == episodes


def test_of_fewer_than_five_people_there_are_no_bands():
    held, broken = [0.9] * 8, [0.9, 0.9, *[0.2] * 6]
    values, left = np.array([held, held, broken, broken, held, held]), np.array([False] * 5 + [True])
    few, enough = (leaving(values, left, people=people) for people in (4, 5))
    for name in ("survival_leaving_as_event", "incidence_broken"):
        assert all(point.lo is point.hi is None for point in getattr(few, name))
        assert any(point.lo is not None for point in getattr(enough, name))
    assert few.broken == enough.broken == 2
