"""Length and order as rival explanations, worked by hand and against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import linregress, spearmanr

from holdfast.agents.raters.protocol import Rating
from holdfast.agents.raters.sample import Sample
from holdfast.simulator.measure.controls import columns, length_control, order_control, without_length, word_counts


def rating(forward: float | None, backward: float | None) -> Rating:
    samples = tuple(
        Sample(order, {"warmth": value}, None, None, (0, 0))  # type: ignore[arg-type]
        for order, value in (("forward", forward), ("reversed", backward))
        if value is not None
    )
    return Rating(samples=samples)


def test_length_by_hand() -> None:
    # Lengths 2 4 8 are 1 2 3 doublings; scores 0 1 2 rise by one each: all of it is length, nothing is left.
    control = length_control([0, 1, 2], [2, 4, 8])
    assert (control.rho, control.per_doubling, control.r2, control.n) == pytest.approx((1, 1, 1, 3))
    assert without_length([0, 1, 2], [2, 4, 8]).tolist() == pytest.approx([1, 1, 1])


def test_length_as_scipy_has_it() -> None:
    rng = np.random.default_rng(2)
    words = rng.integers(1, 200, 60)
    scores = rng.normal(size=60) + np.log2(words) / 3
    control, line = length_control(scores, words), linregress(np.log2(words), scores)
    assert control.per_doubling == pytest.approx(line.slope)
    assert control.r2 == pytest.approx(line.rvalue**2)
    assert control.rho == pytest.approx(spearmanr(scores, words).statistic)
    left = without_length(scores, words)
    assert np.corrcoef(left, np.log2(words))[0, 1] == pytest.approx(0, abs=1e-12)
    assert left.mean() == pytest.approx(scores.mean())


def test_length_is_undefined_without_variation_and_nan_is_left_out() -> None:
    assert math.isnan(length_control([1, 1], [3, 9]).rho)
    assert math.isnan(length_control([1, 2], [3, 3]).r2)
    assert length_control([0, math.nan, 2], [2, 4, 8]).n == 2
    left = without_length([0, math.nan, 1, 2], [2, 4, 4, 8])
    assert math.isnan(left[1])
    assert left[[0, 2, 3]].tolist() == pytest.approx([1, 1, 1])


def test_order_by_hand() -> None:
    # forward minus reversed: 1, 0, 2, 0, 2; mean 1, variance 4 / 4, half width 1.96 / sqrt(5). The last has no reversed
    # answer.
    pairs = [rating(2, 1), rating(1, 1), rating(2, 0), rating(1, 1), rating(2, 0)]
    control = order_control([*pairs, rating(2, None)], "warmth")
    assert (control.shift.mean, control.mean_absolute, control.shift.n) == pytest.approx((1, 1, 5))
    assert control.shift.hi - control.shift.mean == pytest.approx(1.96 / math.sqrt(5))
    few = order_control(pairs[:4], "warmth").shift
    assert (few.mean, few.n, few.reason) == (0.75, 4, "")
    assert math.isnan(few.lo)
    assert math.isnan(order_control([], "warmth").shift.mean)


def test_an_order_that_moves_all_replies_alike_has_no_interval_without_width() -> None:
    shift = order_control([rating(1, 1.5)] * 12, "warmth").shift
    assert (shift.mean, shift.reason) == (-0.5, "all 12 replies alike: up to 22 % may differ unseen")
    assert math.isnan(shift.lo)
    assert math.isnan(shift.hi)


def test_columns_keep_what_is_missing() -> None:
    assert np.isnan(columns([{"a": 1}, {}], ["a"])["a"]).tolist() == [False, True]
    assert word_counts(["", "one two"]).tolist() == [0, 2]
