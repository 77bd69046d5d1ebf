import math

import numpy as np
import pytest
from scipy.optimize import least_squares

from holdfast.simulator.measure.decay.profile import _MeanCurve, profile_decay
from holdfast.simulator.measure.estimates import UNDEFINED
from tests.simulator.measure.making import rng

TIME = np.arange(24.0)


def falling(seed=0, personas=12, noise=0.08, level=0.05, floor=0.5, drop=0.4, tau=5.0):
    draw = rng(seed)
    values = floor + drop * np.exp(-TIME / tau) + draw.normal(0, noise, (personas, 24))
    return values + draw.normal(0, level, personas)[:, None], [str(i) for i in range(personas)]


def test_profile_by_hand():
    # the curve 1, 1/2, 1/4 is 0 + 1 * 2^-t: at its own tau = 1 / ln 2 the rest is 0. With the floor held at 1/2 all
    # that lies above it is 1/2 at t = 0 and -1/4 at t = 2; a vanishing tau puts the drop of 1/2 there: rest (1/4)^2
    curve = _MeanCurve(np.arange(3.0), np.array([1, 0.5, 0.25]), np.ones(3))
    assert curve.rest_at_tau(np.array([1 / math.log(2)])) == pytest.approx([0], abs=1e-12)
    taus = np.geomspace(0.01, 100, 2000)
    assert curve.rest_at_floor(np.array([0.0, 0.5]), taus) == pytest.approx([0, 1 / 16], abs=1e-5)


@pytest.mark.parametrize("tau", [1.5, 5.0, 40.0])
@pytest.mark.parametrize("lift", [0.0, 0.2])  # lifted, the best fit without bounds would start above 1
def test_profile_is_what_a_search_over_the_others_finds(tau, lift):
    values, _ = falling(3)
    curve = _MeanCurve(TIME, values.mean(axis=0) + lift, np.full(24, 12.0))

    def miss(start_and_share):
        start, kept = start_and_share
        return np.sqrt(curve.n) * (start * (kept + (1 - kept) * np.exp(-TIME / tau)) - curve.mean)

    searched = least_squares(miss, (0.8, 0.5), bounds=([0, 0], [1, 1]), xtol=1e-12, ftol=1e-12)
    assert curve.rest_at_tau(np.array([tau]))[0] == pytest.approx(2 * searched.cost, rel=1e-5)


def test_limits_hold_the_estimate_and_lean_to_the_long_side():
    found = profile_decay(*falling(1, noise=0.15))
    half_life, floor = found.half_life, found.floor
    assert half_life.lo < half_life.mean < half_life.hi
    assert half_life.hi - half_life.mean > half_life.mean - half_life.lo
    assert floor.lo < floor.mean < floor.hi


def test_personas_that_differ_in_level_widen_the_floor():
    alike, apart = (profile_decay(*falling(2, level=level)).floor for level in (0.0, 0.15))
    assert apart.hi - apart.lo > 2 * (alike.hi - alike.lo)


def test_no_half_life_no_interval_and_the_reason():
    level = profile_decay(np.full((5, 24), 0.9), list("abcde"))
    assert level.half_life == level.floor == UNDEFINED
    assert level.note == "undetermined: turn by turn, an exponential fits no better than a level curve"
    one = profile_decay(falling()[0], ["same"] * 12)
    assert one.note == "1 person: cannot be tested"
    assert (one.floor.lo, one.half_life.lo) == (None, None)
    assert one.half_life.mean is not None
