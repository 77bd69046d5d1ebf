"""A step, an exponential or neither, by AICc: worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdfast.simulator.measure.decay.exponential import fit_decay
from holdfast.simulator.measure.decay.shape import aicc, compare_shapes, level_rest
from tests.simulator.measure.making import rng

TIME = np.arange(24.0)
MANY = np.full(24, 50)


def test_by_hand() -> None:
    # ten turns, rests .1, .05, .04. AICc = 10 ln(rest / 10) + 2 k + 2 k (k + 1) / (9 - k)
    # constant, k = 2: 10 ln .01  + 4 + 12 / 7 = -46.0517 + 5.7143  = -40.3374
    # step, k = 4:     10 ln .005 + 8 + 40 / 5 = -52.9832 + 16      = -36.9832
    # exponential:     10 ln .004 + 8 + 8      = -55.2146 + 16      = -39.2146
    assert [aicc(rest, 10, k) for rest, k in ((0.1, 2), (0.05, 4), (0.04, 4))] == pytest.approx(
        [-40.3374, -36.9832, -39.2146], abs=1e-4
    )
    near = compare_shapes({"constant": 0.1, "step": 0.05, "exponential": 0.04}, 10)
    assert near.preferred is None  # the exponential lies 1.12 behind the constant, under 2
    assert near.note == "not told apart: constant and exponential"
    assert near.behind == pytest.approx({"constant": 0, "step": 3.3543, "exponential": 1.1229}, abs=1e-4)
    # half the rest of the exponential: 10 ln .002 + 16 = -46.1461, 5.8 ahead of the constant
    clear = compare_shapes({"constant": 0.1, "step": 0.05, "exponential": 0.02}, 10)
    assert (clear.preferred, clear.note) == ("exponential", "exponential, by 5.8 of AICc")


def test_a_fall_over_few_turns_is_not_called_constant() -> None:
    # six turns: a constant is charged 4 + 4, what has four parameters 8 + 40
    fit = fit_decay(np.array([0.8, 0.8, 0.8, 0.75, 0.7, 0.65]), MANY[:6], 5)
    assert fit.shape.preferred == "constant"
    assert fit.shape.note == "undetermined: by AICc these 6 turns bear no more than their mean"


def test_what_a_constant_leaves() -> None:
    # levels .9, .5 with weights 1, 3: mean .6; 1 * .09 + 3 * .01 = .12
    assert level_rest(np.array([0.9, 0.5]), np.array([1.0, 3.0])) == pytest.approx(0.12)


def shape(curve: np.ndarray, step_at: int | None = 9) -> str | None:
    return fit_decay(np.clip(curve, 0, 1), MANY, step_at).shape.preferred


def test_each_shape_is_told_from_the_others() -> None:
    noise = rng(3).normal(0, 0.01, 24)
    assert shape(np.where(TIME < 8, 0.9, 0.6) + noise) == "step"
    assert shape(0.5 + 0.4 * np.exp(-TIME / 5) + noise) == "exponential"
    assert shape(0.8 + noise) == "constant"
    assert shape(np.where(TIME < 8, 0.9, 0.6) + noise, None) == "exponential"  # nobody said that there is a step


def test_a_step_has_no_half_life() -> None:
    fit = fit_decay(np.where(TIME < 8, 0.9, 0.6) + rng(3).normal(0, 0.01, 24), MANY, 9)
    assert math.isnan(fit.half_life_turns)
    assert fit.note == "undetermined: a step fits better than an exponential"


@settings(max_examples=80, deadline=None)
@given(hnp.arrays(np.float64, 24, elements=st.floats(0, 1)), st.integers(3, 22))
def test_no_fitted_value_lies_above_1(curve: np.ndarray, step_at: int) -> None:
    fit = fit_decay(curve, MANY, step_at)
    assert fit.floor >= 0
    assert fit.drop >= 0
    assert fit.floor + fit.drop <= 1 + 1e-9
    behind = sorted(fit.shape.behind.values())
    assert (fit.shape.preferred is None) == (behind[1] < 2)
    assert math.isnan(fit.half_life_turns) or fit.shape.preferred != "step"


def test_a_curve_that_starts_at_the_top_is_not_fitted_from_above_it() -> None:
    # convex towards 1 at turn 1: an unbounded fit would begin at 1.05
    curve = np.minimum(1.0, 0.55 + 0.5 * np.exp(-TIME / 3))
    fit = fit_decay(curve, MANY)
    assert fit.floor + fit.drop == pytest.approx(1.0, abs=1e-6)
