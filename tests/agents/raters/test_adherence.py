from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdfast.agents.raters.adherence import adherence, adherence_of
from holdfast.agents.raters.protocol import EXPRESSED, PERCEIVED, Rating, Scale, expressed


def test_by_hand():
    # expressed (2, 1, 0.5) against the target (1, 1, 2): errors 1, 0, 1.5; mean 2.5 / 3; 1 - 2.5 / 6 = 7 / 12
    assert adherence((2.0, 1.0, 0.5), (1.0, 1.0, 2.0), EXPRESSED.width) == pytest.approx(7 / 12)
    assert adherence((1, 1, 2), (1, 1, 2), 2) == 1.0
    assert adherence((2, 2, 2), (0, 0, 0), 2) == 0.0
    assert adherence((0, 2, 2), (2, 0, 0), 2) == 0.0


def test_each_scale_has_its_width():
    assert (EXPRESSED.width, PERCEIVED.width, Scale("stars", ("all",), 1, 10, step=1).width) == (2, 4, 9)
    # errors 1 of 2 and 1 of 4: 1 - (1/2 + 1/4) / 2
    assert adherence((1, 2), (2, 3), (2, 4)) == pytest.approx(5 / 8)


def test_episodes_and_turns_keep_their_shape():
    target = np.array([[[0.0, 0, 0]], [[2.0, 2, 2]]])
    assert adherence(np.full((2, 4, 3), 2.0), target, 2).tolist() == [[0.0] * 4, [1.0] * 4]


def test_a_reply_without_a_value_is_nan():
    values = np.array([[1.0, 1.0, np.nan], [1.0, 1.0, 1.0]])
    assert np.isnan(adherence(values, np.ones(3), 2)).tolist() == [True, False]


def test_a_disqualified_reply_adheres_nothing_under_any_pattern():
    values = np.array([[2.0, 0.0, 0.0], [np.nan] * 3, [2.0, 0.0, 0.0]])
    for target in ((2, 0, 0), (0, 0, 0), (0, 2, 2)):
        assert adherence(values, target, 2, [True, True, False])[:2].tolist() == [0.0, 0.0]
    assert adherence(values, (2, 0, 0), 2, [False, False, True])[[0, 2]].tolist() == [1.0, 0.0]


def test_of_ratings():
    ratings = [expressed(2, 0, 0), replace(expressed(2, 0, 0), disqualified="hostile"), Rating(missing="why")]
    near = adherence_of(ratings, (2, 0, 0), EXPRESSED)
    assert near[:2].tolist() == [1.0, 0.0]
    assert np.isnan(near[2])
    assert adherence_of([], (2, 0, 0), EXPRESSED).shape == (0,)


levels = hnp.arrays(np.float64, (5, 3), elements=st.floats(0, 2))


@given(shown=levels, target=levels)
def test_bounds_and_symmetry(shown, target):
    value = adherence(shown, target, 2)
    assert ((value >= 0) & (value <= 1)).all()
    assert adherence(target, shown, 2) == pytest.approx(value)
    turned = [2, 0, 1]  # the mechanisms weigh the same
    assert adherence(shown[:, turned], target[:, turned], 2) == pytest.approx(value)
