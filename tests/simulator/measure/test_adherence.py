import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdfast.simulator.measure.adherence import adherence, first_turns, mechanism_error, targets
from holdfast.simulator.measure.arrays import present_mean


def test_by_hand():
    # expressed (2, 1, 0.5) against the target (1, 1, 2): errors 1, 0, 1.5; mean 2.5 / 3; 1 - 2.5 / 6 = 7 / 12
    expressed, target = np.array([2.0, 1.0, 0.5]), np.array([1.0, 1.0, 2.0])
    assert mechanism_error(expressed, target).tolist() == [1.0, 0.0, 1.5]
    assert adherence(expressed, target) == pytest.approx(7 / 12)
    assert adherence(target, target) == 1.0
    assert adherence(np.array([2.0, 2.0, 2.0]), np.zeros(3)) == 0.0


def test_each_episode_has_the_target_of_its_task():
    target = targets(["calm", "warm"], {"calm": (0, 0, 0), "warm": (2, 2, 2)})
    expressed = np.full((2, 4, 3), 2.0)
    assert adherence(expressed, target).tolist() == [[0.0] * 4, [1.0] * 4]
    with pytest.raises(KeyError, match="cold"):
        targets(["cold"], {"warm": (2, 2, 2)})


def test_a_turn_without_a_score_is_nan():
    expressed = np.array([[1.0, 1.0, np.nan], [1.0, 1.0, 1.0]])
    assert np.isnan(adherence(expressed, np.ones(3))).tolist() == [True, False]


def test_the_first_two_turns():
    # (1 + .5) / 2; .25 alone, where the conversation ended after one turn; nan where it never began
    values = np.array([[1.0, 0.5, 0.0], [0.25, np.nan, np.nan], [np.nan] * 3])
    assert first_turns(values) == pytest.approx([0.75, 0.25, np.nan], nan_ok=True)


levels = hnp.arrays(np.float64, (5, 3), elements=st.floats(0, 2))


@given(expressed=levels, target=levels)
def test_bounds_and_symmetry(expressed, target):
    value = adherence(expressed, target)
    assert ((value >= 0) & (value <= 1)).all()
    assert adherence(target, expressed) == pytest.approx(value)
    turned = [2, 0, 1]  # the mechanisms weigh the same
    assert adherence(expressed[:, turned], target[:, turned]) == pytest.approx(value)


@given(
    hnp.arrays(np.float64, (4, 3), elements=st.one_of(st.floats(-5, 5), st.just(float("nan")))),
    st.sampled_from([None, 0, 1]),
)
@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_present_mean_is_nanmean_without_the_warning(values, axis):
    assert present_mean(values, axis=axis) == pytest.approx(np.nanmean(values, axis=axis), nan_ok=True)
