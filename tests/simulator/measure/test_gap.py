import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from holdfast.simulator.measure.bootstrap import Resamples
from holdfast.simulator.measure.gap import gap, gap_reduction, perceived, score_factor
from tests.simulator.measure.making import rng

NAN = float("nan")
TWO = Resamples.of(["ana", "ben"], rng())
SIX = Resamples.of(list("abcdef"), rng())


def test_the_gap_by_hand():
    # two turns of two dimensions: (1 + 2 + 4 + 5) / 4 = 3; wanted 5: gap 2. One turn (4, 4) of two: wanted 3: gap -1
    felt = np.array([[[1.0, 2.0], [4.0, 5.0]], [[4.0, 4.0], [NAN, NAN]]])
    assert perceived(felt).tolist() == [3.0, 4.0]
    assert gap(np.array([5.0, 3.0]), felt).tolist() == [2.0, -1.0]
    assert np.isnan(gap(np.array([3.0]), np.full((1, 2, 7), NAN)))


def test_gap_reduction_by_hand():
    # |gap| of the candidate .5, .5 (mean .5), of the baseline 2, 1 (mean 1.5): 1 - .5 / 1.5 = 2/3
    found = gap_reduction(np.array([0.5, -0.5] * 3), np.array([2.0, 1.0] * 3), SIX)
    assert found.mean == pytest.approx(2 / 3)
    # both resampled together, between those of one kind alone: 1 - .5/2 = .75 and 1 - .5/1 = .5
    assert 0.5 <= found.lo < 2 / 3 < found.hi <= 0.75
    # wider than the baseline's: below 0
    assert gap_reduction(np.array([2.0, 4.0]), np.array([2.0, -1.0]), TWO).mean == pytest.approx(-1)


def test_the_baseline_closes_nothing_of_its_own_gap():
    found = gap_reduction(np.array([2.0, 1.0] * 3), np.array([2.0, 1.0] * 3), SIX)
    assert found.mean == 0
    assert math.isnan(found.lo)
    assert math.isnan(found.hi)


def test_users_that_one_of_the_two_lacks_are_left_out():
    found = gap_reduction(np.array([0.5, NAN]), np.array([2.0, 100.0]), TWO)
    assert found.mean == pytest.approx(0.75)
    assert found.n == 1
    assert score_factor(np.array([0.9, 0.9]), np.array([0.3, NAN]), TWO).mean == pytest.approx(3)


def test_undefined_without_a_gap_to_close():
    assert math.isnan(gap_reduction(np.array([1.0, 1.0]), np.zeros(2), TWO).mean)


def test_score_factor_by_hand():
    # (.9 + .7) / (.5 + .3) = 2
    assert score_factor(np.array([0.9, 0.7]), np.array([0.5, 0.3]), TWO).mean == pytest.approx(2)


gaps = hnp.arrays(np.float64, 10, elements=st.floats(0.1, 4))


@settings(max_examples=100, deadline=None)
@given(gaps, gaps)
def test_reduction_is_at_most_1_and_signs_do_not_matter(candidate, baseline):
    resamples = Resamples.of(list("aabbccddee"), rng())
    found = gap_reduction(candidate, baseline, resamples)
    assert found.reason or found.lo - 1e-9 <= found.hi <= 1
    assert str(gap_reduction(-candidate, baseline, resamples)) == str(found)  # nan is nan
