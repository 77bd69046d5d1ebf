"""A clustered mean and its one-sided limits: by hand, and as the t test of persona means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from holdfast.simulator.measure.clustered import ClusteredMean, cluster_errors
from tests.simulator.measure.making import rng

NAN = math.nan


def test_by_hand() -> None:
    # persona a: .1, .3; b: -.1: mean .1; sums of deviations: a .2, b -.2; SE = sqrt(2 / 1 * (.04 + .04)) / 3 = .13333
    mean = ClusteredMean.of(np.array([0.1, 0.3, -0.1, NAN]), np.array([0, 0, 1, 1]))
    assert (mean.n, mean.people) == (3, 2)
    assert (mean.mean, mean.error) == pytest.approx((0.1, 0.4 / 3))
    assert all(map(math.isnan, mean.limits()))  # two people: cannot be tested


def test_the_limits_are_those_of_a_t_test_of_persona_means() -> None:
    means = rng(1).normal(0.3, 0.1, 9)
    values, codes = np.repeat(means, 4) + np.tile([-0.1, 0.0, 0.02, 0.08], 9), np.repeat(np.arange(9), 4)
    mean = ClusteredMean.of(values, codes)
    for level in (0.90, 0.95):
        ci = stats.ttest_1samp(means, 0).confidence_interval(level)
        assert mean.limits((1 - level) / 2) == pytest.approx((ci.low, ci.high))


def test_people_without_a_value_do_not_count_and_no_spread_gives_no_limits() -> None:
    values = np.array([0.2] * 5 + [NAN])
    mean = ClusteredMean.of(values, np.arange(6))
    assert (mean.mean, mean.people) == (pytest.approx(0.2), 5)
    assert mean.reason == "all 5 people alike: up to 45 % may differ unseen"
    assert all(map(math.isnan, mean.limits()))
    nothing = ClusteredMean.of(np.array([]), np.array([], dtype=np.int64))
    assert math.isnan(nothing.mean)
    assert (nothing.n, nothing.people) == (0, 0)


def test_columns_are_taken_apart() -> None:
    totals, counts = np.array([[0.4, 1.0], [-0.1, 0.0]]), np.array([[2.0, 1.0], [1.0, 0.0]])
    assert cluster_errors(totals, counts, np.array([0.1, 1.0])) == pytest.approx([0.4 / 3, 0.0])
