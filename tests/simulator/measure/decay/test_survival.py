import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from holdfast.simulator.measure.decay.survival import first_violations, kaplan_meier

NAN = float("nan")


def violation(row, **settings):
    time, happened = first_violations(np.array([row], dtype=float), **settings)
    return int(time[0]), bool(happened[0])


def test_a_lasting_violation_by_hand():
    # first two turns: (1 + .8) / 2 = .9, limit .8 * .9 = .72; below it: turns 3 (alone), 5, 6, 7: three in a row from 5
    assert violation([1.0, 0.8, 0.7, 0.9, 0.71, 0.2, 0.3, 0.9]) == (5, True)
    # without turn 7 the run is two turns long; a run could have begun at turn 6 of 8 at the latest
    assert violation([1.0, 0.8, 0.7, 0.9, 0.71, 0.2, 0.9, 0.9]) == (6, False)
    # exactly at the limit is not below it
    assert violation([1.0, 1.0, 0.8, 0.8, 0.8]) == (3, False)


def test_the_limit_may_be_absolute_and_the_run_longer():
    row = [0.5, 0.5, 0.45, 0.45, 0.45, 0.45]
    assert violation(row) == (4, False)  # never below .8 * .5
    assert violation(row, threshold=0.6) == (1, True)
    assert violation(row, threshold=0.46, run=4) == (3, True)
    assert violation(row, threshold=0.46, run=5) == (2, False)
    assert violation(row, fraction=0.95) == (3, True)


def test_conversations_that_ended():
    assert violation([1.0, 1.0, 0.1, 0.1, NAN, NAN]) == (2, False)  # two low turns are not yet lasting
    assert violation([1.0, 1.0, 0.1, 0.1, 0.1, NAN]) == (3, True)
    assert violation([1.0, 1.0, NAN, NAN]) == (0, False)  # too short for one run
    assert violation([NAN, NAN, NAN]) == (0, False)


def test_kaplan_meier_by_hand():
    # turns 2 (event), 3 (censored), 3 (event), 4 (event), 5 (censored), and one episode too short
    # turn 1: 5 at risk, none: 1. turn 2: 1 - 1/5 = .8. turn 3: 4 at risk, .8 * 3/4 = .6. turn 4: 2 at risk, .3
    found = kaplan_meier(np.array([2, 3, 3, 4, 5, 0]), np.array([True, False, True, True, False, False]))
    assert found.turn.tolist() == [1, 2, 3, 4, 5]
    assert found.at_risk.tolist() == [5, 5, 4, 2, 1]
    assert found.events.tolist() == [0, 1, 1, 1, 0]
    assert found.share == pytest.approx([1, 0.8, 0.6, 0.3, 0.3])
    assert found.median == 4
    assert found.dropped == 1
    # Greenwood at turn 3: 1/(5*4) + 1/(4*3) = 2/15; log-log: .6 ** exp(+-1.96 sqrt(2/15) / ln .6)
    width = 1.959964 * math.sqrt(2 / 15) / math.log(0.6)
    assert found.lo[2] == pytest.approx(0.6 ** math.exp(-width))
    assert found.hi[2] == pytest.approx(0.6 ** math.exp(width))
    assert found.lo[2] < 0.6 < found.hi[2]
    assert np.isnan(found.lo[0])  # a share of 1 has no log-log band


def test_the_median_is_undefined_where_half_hold():
    found = kaplan_meier(np.array([2, 5, 5]), np.array([True, False, False]))
    assert math.isnan(found.median)
    assert kaplan_meier(np.array([2, 5]), np.array([True, False])).median == 2  # exactly one half


def test_nobody_at_risk():
    found = kaplan_meier(np.zeros(3, dtype=int), np.zeros(3, dtype=bool))
    assert (len(found.turn), found.dropped) == (0, 3)
    assert math.isnan(found.median)


def test_all_fall_at_once():
    found = kaplan_meier(np.array([2, 2]), np.array([True, True]))
    assert found.share.tolist() == [1.0, 0.0]
    assert np.isnan(found.hi[1])


outcomes = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=40)


@settings(max_examples=200, deadline=None)
@given(outcomes)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_parity_with_statsmodels(pairs):
    time, happened = (np.array(column) for column in zip(*pairs, strict=True))
    ours = kaplan_meier(time, happened)
    theirs = SurvfuncRight(time, happened.astype(int))
    at = np.asarray(theirs.surv_times, dtype=int) - 1  # they list event times only
    assert ours.share[at] == pytest.approx(theirs.surv_prob)
    assert ours.at_risk[at] == pytest.approx(np.asarray(theirs.n_risk))
    inside = (ours.share[at] > 0) & (ours.share[at] < 1)
    ours_se = np.log(np.log(ours.lo[at]) / np.log(ours.share[at])) / 1.959963984540054 * -np.log(ours.share[at])
    assert ours_se[inside] * ours.share[at][inside] == pytest.approx(np.asarray(theirs.surv_prob_se)[inside])
    if not np.isclose(ours.share, 0.5).any():  # at exactly one half they take the next event
        assert ours.median == pytest.approx(theirs.quantile(0.5), nan_ok=True)


@settings(max_examples=100, deadline=None)
@given(outcomes, st.randoms(use_true_random=False))
def test_shares_fall_within_bounds_in_any_order(pairs, order):
    time, happened = (np.array(column) for column in zip(*pairs, strict=True))
    found = kaplan_meier(time, happened)
    assert ((found.share >= 0) & (found.share <= 1)).all()
    assert (np.diff(found.share) <= 1e-12).all()
    order.shuffle(pairs)
    again = kaplan_meier(*(np.array(column) for column in zip(*pairs, strict=True)))
    assert again.share.tolist() == found.share.tolist()


def test_of_fewer_than_five_people_there_is_no_band():
    time, happened = np.array([2, 3, 3, 4, 5, 5]), np.array([True, False, True, True, False, False])
    few, enough = (kaplan_meier(time, happened, people=people) for people in (4, 5))
    assert np.isnan(few.lo).all()
    assert few.share.tolist() == enough.share.tolist()
    assert not np.isnan(enough.lo[1:]).any()
