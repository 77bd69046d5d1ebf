"""R² of felt on expressed empathy, by hand."""

import numpy as np
import pytest

from holdfast.simulator.measure.restating import explained_share

NAN = float("nan")


def test_by_hand():
    # felt 1, 2, 4, 5 on one level 0, 1, 0, 1: means 2.5 and 3.5 explain 4 x .25 = 1 of 10
    felt, level = np.array([1.0, 2.0, 4.0, 5.0]), np.array([[0.0], [1.0], [0.0], [1.0]])
    found = explained_share(felt, level)
    assert found.share == pytest.approx(0.1)
    assert found.n == 4


def test_an_echo_is_1_and_noise_is_near_0():
    rng = np.random.default_rng(0)
    levels = rng.uniform(0, 2, (500, 3))
    assert explained_share(levels @ [1, 0.5, -1] + 3, levels).share == pytest.approx(1)
    assert explained_share(rng.normal(size=500), levels).share < 0.03


def test_within_groups_their_means_do_not_count():
    # two groups far apart in both, and unrelated within: all of the explained variance is between them
    felt = np.array([1.0, 2.0, 1.0, 2.0, 4.0, 5.0, 4.0, 5.0])
    level = np.array([0, 0, 1, 1, 5, 5, 6, 6], dtype=float)[:, None]
    group = np.repeat([0, 1], 4)
    assert explained_share(felt, level).share > 0.85
    assert explained_share(felt, level, group).share == pytest.approx(0)


def test_what_is_missing_is_left_out_and_what_is_undefined_is_nan():
    felt, level = np.array([1.0, 2.0, 4.0, 5.0, NAN, 3.0]), np.array([[0.0], [1.0], [0.0], [1.0], [1.0], [NAN]])
    assert explained_share(felt, level) == pytest.approx((0.1, 4))
    assert np.isnan(explained_share(np.full(9, 3.0), np.arange(9.0)[:, None]).share)
    few = explained_share(felt[:2], level[:2])
    assert np.isnan(few.share)
    assert few.n == 2
    assert explained_share(np.zeros(0), np.zeros((0, 3))).n == 0
