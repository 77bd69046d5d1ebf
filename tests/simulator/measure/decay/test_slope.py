import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from holdfast.simulator.measure.bootstrap import Resamples, mean_interval
from holdfast.simulator.measure.decay.slope import episode_slopes
from tests.simulator.measure.making import rng


def test_by_hand():
    # turns 1, 2, 3 (mean 2), values .9, .8, .4 (mean .7): (-1 * .2 + 0 * .1 + 1 * -.3) / (1 + 0 + 1) = -.25
    assert episode_slopes(np.array([[0.9, 0.8, 0.4]])) == pytest.approx([-0.25])


def test_too_short_is_nan_and_left_out_of_the_mean():
    values = np.array([[0.9, 0.8, 0.4], [0.5, 0.1, np.nan], [np.nan] * 3])
    assert np.isnan(episode_slopes(values)).tolist() == [False, True, True]
    interval = mean_interval(episode_slopes(values), Resamples.of(["a", "b", "c"], rng()))
    assert interval.mean == pytest.approx(-0.25)
    assert interval.n == 1


@given(
    hnp.arrays(np.float64, (3, 9), elements=st.one_of(st.floats(0, 1), st.just(float("nan")))),
)
def test_parity_with_scipy(values):
    for row, ours in zip(values, episode_slopes(values), strict=True):
        there = ~np.isnan(row)
        if there.sum() < 3:
            assert np.isnan(ours)
        else:
            assert ours == pytest.approx(stats.linregress(np.flatnonzero(there), row[there]).slope, abs=1e-9)
