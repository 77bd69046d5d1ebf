"""The bootstrap on sums equals the one on episodes; moments against numpy and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.simulator.measure.bootstrap import Resamples, all_alike, draw_weights, mean_band, ratio_interval
from holdfast.simulator.measure.sums import (
    ClusterSums,
    correlation,
    pair_moments,
    slope_given,
    slope_within,
    sums_band,
    sums_ratio,
    within_moments,
)


def one_each(values):
    """Every episode its own cluster."""
    return ClusterSums.of(values, np.arange(len(values)), len(values))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 30))
def test_the_same_limits_as_the_bootstrap_on_episodes(seed, clusters, episodes):
    rng = np.random.default_rng(seed)
    names = rng.integers(0, clusters, episodes)
    values = np.where(rng.random((episodes, 4)) < 0.2, np.nan, rng.normal(size=(episodes, 4)))
    _, codes = np.unique(names.astype(str), return_inverse=True)
    resamples = Resamples.of([str(name) for name in names], np.random.default_rng(seed), draws=200)
    weights = draw_weights(codes.max() + 1, np.random.default_rng(seed), draws=200)
    sums = ClusterSums.of(values, codes, codes.max() + 1)
    ours, theirs = sums_band(sums, weights), mean_band(values, resamples)
    for a, b in zip((ours.mean, ours.lo, ours.hi, ours.n), (theirs.mean, theirs.lo, theirs.hi, theirs.n), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    assert ours.reasons == theirs.reasons
    ratio, expected = sums_ratio(sums, 1, 0, weights), ratio_interval(values[:, 1], values[:, 0], resamples)
    assert (ratio.mean, ratio.lo, ratio.hi, ratio.n) == pytest.approx(
        (expected.mean, expected.lo, expected.hi, expected.n), nan_ok=True
    )


def test_by_hand():
    # Two clusters: values 1, 3 and 5. Mean (1 + 3 + 5) / 3 = 3; drawing the first twice gives 2, the second twice 5.
    sums = ClusterSums.of(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 1]), 2)
    assert sums.totals.tolist() == [[4.0], [5.0]]
    assert sums.counts.tolist() == [[2.0], [1.0]]
    band = sums_band(sums, np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]]))
    assert band.mean[0] == 3
    assert np.isnan([band.lo[0], band.hi[0]]).all()  # of two people
    six = ClusterSums.of(np.array([[1.0], [3.0], [5.0]] * 3), np.array([0, 0, 1, 2, 2, 3, 4, 4, 5]), 6)
    band = sums_band(six, draw_weights(6, np.random.default_rng(0), 300))
    assert 2 <= band.lo[0] < 3 < band.hi[0] <= 5


def test_clusters_that_share_a_row_still_cover():
    """400 clusters in 100 rows: the interval of the mean has the width that the normal theory gives it."""
    rng = np.random.default_rng(0)
    widths = []
    for _ in range(30):
        values = rng.normal(size=(400, 1))
        sums = ClusterSums.of(values, np.arange(400) % 100, 100)
        band = sums_band(sums, draw_weights(100, rng, 400))
        widths.append(band.hi[0] - band.lo[0])
    assert np.mean(widths) == pytest.approx(2 * 1.96 / 20, rel=0.06)


def test_correlation_is_pearsons_over_all_pairs():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 30, 7))
    y = y + 0.5 * x
    x[rng.random(x.shape) < 0.1] = np.nan
    there = ~np.isnan(x)
    moments = ClusterSums.of(pair_moments(x, y), np.arange(30), 30).totals
    found = correlation(moments, draw_weights(30, rng))
    assert found.mean == pytest.approx(np.corrcoef(x[there], y[there])[0, 1])
    assert found.lo < found.mean < found.hi
    assert found.n == there.sum()


def test_what_is_the_same_in_everyone_has_no_limits_and_says_so():
    sums, weights = one_each(np.full((9, 2), 0.7)), draw_weights(9, np.random.default_rng(0))
    for found in (sums_band(sums, weights).at(1), sums_ratio(sums, 0, 1, weights)):
        assert np.isnan([found.lo, found.hi]).all()
        assert found.reason == all_alike(9) == "all 9 people alike: up to 28 % may differ unseen"
    turn = np.tile(np.arange(1.0, 5.0), (6, 1))
    slope = slope_within(within_moments(turn, turn * 0, 0.5 - 0.1 * turn), draw_weights(6, np.random.default_rng(0)))
    assert (slope.mean, slope.reason) == (pytest.approx(-0.1), all_alike(6))


def test_correlation_of_something_constant_is_undefined():
    moments = pair_moments(np.full((5, 3), 7.0), np.arange(15.0).reshape(5, 3))
    assert np.isnan(correlation(moments, draw_weights(5, np.random.default_rng(0))).mean)


def test_slope_with_length_held_is_least_squares_with_an_intercept_for_each_episode():
    rng = np.random.default_rng(2)
    episodes, turns = 20, 8
    turn = np.broadcast_to(np.arange(1.0, turns + 1), (episodes, turns))
    length = 4 + 0.1 * turn + rng.normal(size=(episodes, turns))
    value = rng.normal(size=(episodes, 1)) - 0.03 * turn + 0.2 * length + 0.1 * rng.normal(size=(episodes, turns))
    value[rng.random(value.shape) < 0.1] = np.nan
    there = ~np.isnan(value)
    dummies = np.repeat(np.eye(episodes), turns, axis=0)
    design = np.column_stack([turn.ravel(), length.ravel(), dummies])[there.ravel()]
    expected = sm.OLS(value[there], design).fit().params[0]
    found = slope_given(within_moments(turn, length, value), draw_weights(episodes, rng))
    assert found.mean == pytest.approx(expected, abs=1e-10)
    assert found.lo < -0.03 < found.hi


def test_slope_is_undefined_where_length_is_the_turn():
    turn = np.broadcast_to(np.arange(1.0, 6), (4, 5))
    moments = within_moments(turn, 2 * turn, np.random.default_rng(0).normal(size=(4, 5)))
    assert np.isnan(slope_given(moments, draw_weights(4, np.random.default_rng(0))).mean)


def test_a_slope_with_length_held_takes_four_turns():
    """Value 0, 1, 0 at length 1, 3, 2: with two slopes and a mean the fit is exact. A fourth turn leaves one over."""
    turn, length, value = (np.array([row]) for row in ([1.0, 2, 3, 4], [1.0, 3, 2, 2], [0.0, 1, 0, 0]))
    weights = draw_weights(1, np.random.default_rng(0))
    three = within_moments(turn[:, :3], length[:, :3], value[:, :3])
    assert np.isnan(slope_given(three, weights).mean)
    assert three[0, 0] == 3
    # About their means: tt 5, tl 1, ll 2, tv -.5, lv 1; (2 x -.5 - 1 x 1) / (5 x 2 - 1 x 1).
    assert slope_given(within_moments(turn, length, value), weights).mean == pytest.approx(-2 / 9)
