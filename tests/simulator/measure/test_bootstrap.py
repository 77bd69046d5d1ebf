import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from holdfast.simulator.measure.bootstrap import (
    Resamples,
    _quantile,
    all_alike,
    mean_band,
    mean_interval,
    ratio_interval,
    unseen_share,
)
from tests.simulator.measure.making import rng


def test_episodes_of_a_persona_are_drawn_together():
    # Two personas: ana's two episodes are 1 and 1, ben's are 0 and 0. A resample holds (2, 0), (1, 1) or (0, 2) of
    # them, so its mean is 1, 1/2 or 0, and never 1/4 or 3/4, which episodes drawn one by one would give.
    resamples = Resamples.of(["ana", "ana", "ben", "ben"], rng())
    assert set(map(tuple, resamples.weights)) == {(2, 0), (1, 1), (0, 2)}
    draws = resamples.weights @ np.array([2.0, 0.0]) / 4
    assert set(draws) == {0.0, 0.5, 1.0}
    interval = mean_interval(np.array([1.0, 1.0, 0.0, 0.0]), resamples)
    assert (interval.mean, interval.n) == (0.5, 4)


def test_the_mean_is_over_episodes_not_over_personas():
    # (1 + 1 + 1 + 0) / 4 = 3/4; over personas it would be (1 + 0) / 2.
    resamples = Resamples.of(["ana", "ana", "ana", "ben"], rng())
    assert mean_interval(np.array([1.0, 1, 1, 0]), resamples).mean == 0.75


def test_a_ratio_is_of_means():
    # (3 + 1) / 2 over (4 + 1) / 2 = 4/5; the mean of the ratios would be (3/4 + 1) / 2 = 7/8.
    top, bottom = np.array([3.0] * 3 + [1.0] * 3), np.array([4.0] * 3 + [1.0] * 3)
    interval = ratio_interval(top, bottom, Resamples.of(list("abcdef"), rng()))
    assert interval.mean == pytest.approx(0.8)
    # resamples lie between those of one kind alone: 3 / 4 and 1 / 1
    assert 0.75 <= interval.lo < 0.8 < interval.hi <= 1


@pytest.mark.parametrize("people", ["a", "ab", "abcd"])
def test_fewer_than_five_clusters_have_no_limits(people):
    interval = mean_interval(np.linspace(0.2, 0.4, 2 * len(people)), Resamples.of(list(people * 2), rng()))
    assert interval.mean == pytest.approx(0.3)
    assert np.isnan([interval.lo, interval.hi]).all()
    assert interval.n == 2 * len(people)
    # ... counted where there are values: one of five has none in the second column
    values = np.array([[1.0, 1.0]] * 4 + [[0.0, np.nan]])
    band = mean_band(values, Resamples.of(list("abcde"), rng()))
    assert np.isnan(band.lo).tolist() == [False, True]
    assert band.n.tolist() == [5, 4]


def test_what_is_the_same_in_everyone_has_no_limits_and_says_so():
    # (1 - q)^12 = .05 where q = .2209: so many of people may differ, and twelve still look alike in one study of twenty
    assert (1 - unseen_share(12)) ** 12 == pytest.approx(0.05)
    values = np.zeros((12, 3))
    values[3, 1] = 0.2
    values[7, 2] = 1e-12  # rounding is no difference
    resamples = Resamples.of(list("abcdefghijkl"), rng())
    band = mean_band(values, resamples)
    assert np.isnan(band.lo).tolist() == np.isnan(band.hi).tolist() == [True, False, True]
    assert [each[:38] for each in band.reasons] == ["all 12 people alike: up to 22 % may di", "", band.reasons[0][:38]]
    assert band.at(0).reason == "all 12 people alike: up to 22 % may differ unseen" == all_alike(12)
    # so has a ratio that is the same in everyone, though top and bottom differ
    first = np.linspace(0.2, 0.9, 12)
    half = ratio_interval(first / 2, first, resamples)
    assert (half.mean, half.reason) == (pytest.approx(0.5), all_alike(12))
    assert np.isnan([half.lo, half.hi]).all()
    # and means of people whose conversations differ: ana 0 and 1, ben 0 and 1, ...
    people = mean_interval(np.array([0.0, 1.0] * 6), Resamples.of([name for name in "abcdef" for _ in "01"], rng()))
    assert (people.mean, people.reason) == (0.5, all_alike(6))


@pytest.mark.parametrize("people", [1, 4])
def test_few_people_who_are_alike_are_few(people):
    interval = mean_interval(np.ones(people), Resamples.of(list("abcd"[:people]), rng()))
    assert np.isnan([interval.lo, interval.hi]).all()
    assert interval.reason == all_alike(people) == ""


def test_nothing_there_is_nan_with_a_count_of_0():
    interval = mean_interval(np.full(3, np.nan), Resamples.of(["a", "b", "c"], rng()))
    assert np.isnan([interval.mean, interval.lo, interval.hi]).all()
    assert interval.n == 0
    assert np.isnan(ratio_interval(np.ones(2), np.zeros(2), Resamples.of(["a", "b"], rng())).mean)
    assert np.isnan(mean_interval(np.zeros(0), Resamples.of([], rng())).mean)


def test_the_same_rng_gives_the_same_limits():
    values = rng(1).normal(size=20)
    groups = [str(i // 2) for i in range(20)]
    one, two = (mean_interval(values, Resamples.of(groups, rng(7))) for _ in range(2))
    assert one == two
    assert one != mean_interval(values, Resamples.of(groups, rng(8)))


def test_the_quantile_is_numpys():
    draws = rng().normal(size=(101, 3))
    draws[:40, 1] = np.nan
    expected = [np.nanquantile(draws[:, i], q) for i, q in enumerate((0.1, 0.025, 0.9))]
    assert _quantile(np.sort(draws, axis=0), np.array([0.1, 0.025, 0.9])) == pytest.approx(expected)


def test_many_clusters_give_scipys_percentile_bootstrap():
    values = rng(3).normal(size=400)
    ours = mean_interval(values, Resamples.of([str(i) for i in range(400)], rng(), draws=20_000))
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, random_state=1)
    assert [ours.lo, ours.hi] == pytest.approx(list(theirs.confidence_interval), abs=0.004)


def test_few_clusters_are_as_wide_as_students_t():
    # 12 clusters of one normal value each: the t interval is exact, the plain percentile one 14 % narrower.
    values = rng(5).normal(size=12)
    ours = mean_interval(values, Resamples.of([str(i) for i in range(12)], rng(), draws=20_000))
    exact = stats.t.interval(0.95, 11, loc=values.mean(), scale=stats.sem(values))
    assert ours.hi - ours.lo == pytest.approx(exact[1] - exact[0], rel=0.06)


arrays = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.one_of(st.floats(0, 1), st.just(float("nan"))),
)


@settings(max_examples=200, deadline=None)
@given(values=arrays, seed=st.integers(0, 2**32 - 1), clusters=st.integers(1, 6))
def test_limits_stay_within_the_data_and_around_nothing_else(values, seed, clusters):
    groups = [str(row % clusters) for row in range(len(values))]
    band = mean_band(values, Resamples.of(groups, rng(seed), draws=50))
    for column in range(values.shape[1]):
        there = values[~np.isnan(values[:, column]), column]
        one = band.at(column)
        assert one.n == len(there)
        if len(there) == 0:
            assert np.isnan(one.mean)
        else:
            assert one.mean == pytest.approx(np.mean(there))
        if not np.isnan(one.lo):
            assert there.min() - 1e-9 <= one.lo <= one.hi <= there.max() + 1e-9


@settings(max_examples=100, deadline=None)
@given(values=arrays, order=st.randoms(use_true_random=False))
def test_the_order_of_episodes_does_not_matter(values, order):
    groups = [f"p{row % 4}" for row in range(len(values))]
    rows = list(range(len(values)))
    order.shuffle(rows)
    band = mean_band(values, Resamples.of(groups, rng(), draws=50))
    shuffled = mean_band(values[rows], Resamples.of([groups[row] for row in rows], rng(), draws=50))
    for name in ("mean", "lo", "hi", "n"):
        assert getattr(shuffled, name) == pytest.approx(getattr(band, name), nan_ok=True)
