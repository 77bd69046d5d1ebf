"""Agreement of two sets of ratings: worked by hand, and against scikit-learn and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from holdfast.agents.raters.agreement import pairs, quadratic_weighted_kappa, spearman
from holdfast.simulator.measure.agreement import mean_absolute_difference, with_interval
from holdfast.simulator.measure.bootstrap import all_alike

levels = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=40)


def test_kappa_by_hand() -> None:
    # a = 0 0 1 2, b = 0 1 1 2: squared differences 0 1 0 0, mean 1/4.
    # Over all 16 couples (a, b'): a = 0 (twice) gives 0 + 1 + 1 + 4 = 6 each, a = 1 gives 1 + 0 + 0 + 1 = 2,
    # a = 2 gives 4 + 1 + 1 + 0 = 6; (6 + 6 + 2 + 6) / 16 = 5/4. kappa = 1 - (1/4) / (5/4) = 4/5.
    assert quadratic_weighted_kappa([0, 0, 1, 2], [0, 1, 1, 2]) == pytest.approx(0.8)


def test_kappa_of_opposites_and_of_chance() -> None:
    # a = 0 2, b = 2 0: mean squared difference 4, by chance (4 + 0 + 0 + 4) / 4 = 2: 1 - 4/2 = -1.
    assert quadratic_weighted_kappa([0, 2], [2, 0]) == pytest.approx(-1)
    # every couple once: observed is what chance gives.
    assert quadratic_weighted_kappa([0, 0, 2, 2], [0, 2, 0, 2]) == pytest.approx(0)
    # one rater never moves: no more than chance, and defined.
    assert quadratic_weighted_kappa([0, 1, 2], [1, 1, 1]) == pytest.approx(0)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1, 1], [1, 1]), ([math.nan], [1.0])])
def test_kappa_is_undefined(a: list[float], b: list[float]) -> None:
    assert math.isnan(quadratic_weighted_kappa(a, b))


@given(levels)
@settings(max_examples=150, deadline=None)
def test_kappa_as_scikit_learn_has_it(couples: list[tuple[int, int]]) -> None:
    a, b = zip(*couples, strict=True)
    ours = quadratic_weighted_kappa(a, b)
    if math.isnan(ours):
        assert len(set(a + b)) == 1
    else:
        assert ours == pytest.approx(cohen_kappa_score(a, b, weights="quadratic", labels=[0, 1, 2]), abs=1e-9)


def test_spearman_by_hand() -> None:
    # a ranks 1 2.5 2.5 4, b ranks 1 2 3 4; centred: (-1.5, 0, 0, 1.5) and (-1.5, -.5, .5, 1.5).
    # sum of products 4.5; squares 4.5 and 5: 4.5 / sqrt(22.5).
    assert spearman([1, 5, 5, 9], [10, 20, 30, 40]) == pytest.approx(4.5 / math.sqrt(22.5))


@given(levels)
@settings(max_examples=100, deadline=None)
def test_spearman_as_scipy_has_it(couples: list[tuple[int, int]]) -> None:
    a, b = zip(*couples, strict=True)
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert math.isnan(spearman(a, b))
    else:
        assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-9)


def test_mean_absolute_difference_by_hand() -> None:
    assert mean_absolute_difference([0, 1, 2], [1, 1, 0.5]) == pytest.approx((1 + 0 + 1.5) / 3)
    assert math.isnan(mean_absolute_difference([], []))


def test_an_item_without_both_ratings_is_left_out() -> None:
    first, second = pairs([0, math.nan, 2], [0, 1, math.nan])
    assert first.tolist() == [0]
    assert second.tolist() == [0]
    with pytest.raises(ValueError, match="one length"):
        pairs([1], [1, 2])


def test_interval_holds_the_value_and_is_seeded() -> None:
    rng = np.random.default_rng(5)
    a = rng.integers(0, 3, 80).astype(float)
    b = np.clip(a + rng.integers(-1, 2, 80), 0, 2)
    one = with_interval(quadratic_weighted_kappa, a, b, None, np.random.default_rng(1), draws=300)
    again = with_interval(quadratic_weighted_kappa, a, b, None, np.random.default_rng(1), draws=300)
    assert one == again
    assert one.lo < one.mean < one.hi
    assert (one.n, one.reason) == (80, "")


def test_groups_are_drawn_whole() -> None:
    # Ten copies of each of eight items: by items the interval is narrow, by groups as wide as eight items make it.
    a, b = np.repeat([0.0, 1, 2, 2] * 2, 10), np.repeat([0.0, 2, 1, 2] * 2, 10)
    names = [str(n) for n in np.repeat(np.arange(8), 10)]
    alone = with_interval(mean_absolute_difference, a, b, None, np.random.default_rng(0), draws=400)
    grouped = with_interval(mean_absolute_difference, a, b, names, np.random.default_rng(0), draws=400)
    assert grouped.mean == alone.mean == 0.5
    assert grouped.lo <= 0.25
    assert grouped.hi >= 0.75
    assert alone.lo > 0.35
    assert alone.hi < 0.65


def test_resamples_without_a_value_are_left_out() -> None:
    # One of six differs: a resample without it has one level, and no kappa; with it once 1 - (1/6) / (26/36) = 10/13.
    result = with_interval(quadratic_weighted_kappa, [0] * 5 + [2], [0] * 5 + [1], None, np.random.default_rng(0))
    assert 0 < result.lo < result.hi < 1


def test_ratings_that_agree_in_everyone_give_no_interval_without_width() -> None:
    # 1 in each resample that has a kappa: limits of [1, 1] would say that the seventh person agrees, too.
    result = with_interval(quadratic_weighted_kappa, [0, 2] * 3, [0, 2] * 3, None, np.random.default_rng(0), draws=400)
    assert (result.mean, result.n, result.reason) == (1, 6, all_alike(6))
    assert math.isnan(result.lo)
    assert math.isnan(result.hi)


def test_fewer_than_five_groups_with_ratings_have_no_interval() -> None:
    a, names = [1.0, 2, 3, 4, 5, math.nan], [*"abcde", "f"]
    for size, enough in ((4, False), (5, True)):
        people = [*names[:size], *["a"] * (5 - size), "f"]  # nobody rated what the last has
        result = with_interval(mean_absolute_difference, a, [0] * 6, people, np.random.default_rng(0))
        assert (result.mean, result.n, result.reason) == (3, 5, "")
        assert math.isnan(result.lo) is math.isnan(result.hi) is not enough
