"""The mean over trainings: t with trainings - 1 degrees of freedom, by hand and by simulation."""

from __future__ import annotations

import pytest
from scipy import stats

from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.measure.replicates import mean_of_trainings
from tests.simulator.measure.making import rng


def test_by_hand() -> None:
    # .1, .2, .3: mean .2, spread .1, SE .057735; t(2, .975) = 4.302653: .2 -+ .248414
    mean = mean_of_trainings([0.1, 0.2, 0.3])
    assert (mean.mean, mean.lo, mean.hi) == pytest.approx((0.2, -0.048414, 0.448414), abs=1e-6)
    two = mean_of_trainings([0.1, 0.2])  # t(1) = 12.7062, SE .05
    assert two.hi - two.mean == pytest.approx(12.7062 * 0.05, abs=1e-5)


def test_one_training_says_nothing_of_another() -> None:
    assert mean_of_trainings([0.1]) == Estimate(mean=0.1, lo=None, hi=None)
    alike = mean_of_trainings([0.1] * 3)
    assert (alike.mean, alike.lo, alike.hi, alike.reason) == (pytest.approx(0.1), None, None, "all 3 trainings alike")
    assert mean_of_trainings([]).mean is None


def test_parity_and_coverage() -> None:
    draw, covered = rng(2), 0
    for _ in range(400):
        figures = draw.normal(0.3, 0.05, 4)
        mean = mean_of_trainings(figures.tolist())
        covered += mean.lo <= 0.3 <= mean.hi
    theirs = stats.ttest_1samp(figures, 0).confidence_interval(0.95)
    assert (mean.lo, mean.hi) == pytest.approx((theirs.low, theirs.high))
    assert 0.92 <= covered / 400 <= 0.98
