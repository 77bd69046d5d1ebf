import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdfast.simulator.measure.adherence import first_turns, mechanism_error, targets
from holdfast.simulator.measure.arrays import present_mean


def test_the_distance_of_each_mechanism():
    assert mechanism_error(np.array([2.0, 1.0, 0.5]), np.array([1.0, 1.0, 2.0])).tolist() == [1.0, 0.0, 1.5]


def test_each_episode_has_the_target_of_its_task():
    assert targets(["calm", "warm"], {"calm": (0, 0, 0), "warm": (2, 2, 2)}).tolist() == [[[0, 0, 0]], [[2, 2, 2]]]
    with pytest.raises(KeyError, match="cold"):
        targets(["cold"], {"warm": (2, 2, 2)})


def test_the_first_two_turns():
    # (1 + .5) / 2; .25 alone, where the conversation ended after one turn; nan where it never began
    values = np.array([[1.0, 0.5, 0.0], [0.25, np.nan, np.nan], [np.nan] * 3])
    assert first_turns(values) == pytest.approx([0.75, 0.25, np.nan], nan_ok=True)


@given(
    hnp.arrays(np.float64, (4, 3), elements=st.one_of(st.floats(-5, 5), st.just(float("nan")))),
    st.sampled_from([None, 0, 1]),
)
@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_present_mean_is_nanmean_without_the_warning(values, axis):
    assert present_mean(values, axis=axis) == pytest.approx(np.nanmean(values, axis=axis), nan_ok=True)
