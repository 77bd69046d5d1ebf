import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdfast.agents.raters.adherence import adherence
from holdfast.agents.raters.protocol import EXPRESSED, PERCEIVED, Scale


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


levels = hnp.arrays(np.float64, (5, 3), elements=st.floats(0, 2))


@given(expressed=levels, target=levels)
def test_bounds_and_symmetry(expressed, target):
    value = adherence(expressed, target, 2)
    assert ((value >= 0) & (value <= 1)).all()
    assert adherence(target, expressed, 2) == pytest.approx(value)
    turned = [2, 0, 1]  # the mechanisms weigh the same
    assert adherence(expressed[:, turned], target[:, turned], 2) == pytest.approx(value)
