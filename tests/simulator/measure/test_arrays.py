import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdfast.simulator.measure.arrays import divide, present_mean


def test_a_quotient_is_nan_where_it_is_undefined():
    assert divide([1, 2, 3], [2, 0, 4]) == pytest.approx([0.5, np.nan, 0.75], nan_ok=True)
    assert divide([1, 2], [2, 4], np.array([True, False])) == pytest.approx([0.5, np.nan], nan_ok=True)


@given(
    hnp.arrays(np.float64, (4, 3), elements=st.one_of(st.floats(-5, 5), st.just(float("nan")))),
    st.sampled_from([None, 0, 1]),
)
@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_present_mean_is_nanmean_without_the_warning(values, axis):
    assert present_mean(values, axis=axis) == pytest.approx(np.nanmean(values, axis=axis), nan_ok=True)
