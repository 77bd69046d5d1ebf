"""Reliability table and expected calibration error, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.simulator.measure.calibration import Bin, calibration


def test_by_hand() -> None:
    # two bins: scores 1, 2 with labels 1, 1 and scores 3, 4 with labels 5, 5: off by .5 and by 1.5, in the mean 1
    found = calibration([1, 2, 3, 4], [1, 1, 5, 5], bins=2)
    assert found.bins == (Bin(1.5, 1, 2), Bin(3.5, 5, 2))
    assert found.error == pytest.approx(1)


def test_what_is_missing_and_what_is_equal() -> None:
    found = calibration([2, 2, 2, np.nan, 3], [2, 3, np.nan, 1, 3], bins=5)
    assert [one.n for one in found.bins] == [2, 1]
    assert found.error == pytest.approx((2 * 0.5 + 0) / 3)
    assert np.isnan(calibration([np.nan], [1.0]).error)
    assert calibration([], []).bins == ()


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=60), st.integers(1, 8))
def test_every_pair_is_in_one_bin_and_the_means_come_back(pairs: list[tuple[int, int]], bins: int) -> None:
    scores, labels = (np.array(one, dtype=float) for one in zip(*pairs, strict=True))
    found = calibration(scores, labels, bins)
    assert 1 <= len(found.bins) <= bins
    assert sum(one.n for one in found.bins) == len(pairs)
    assert sum(one.n * one.label for one in found.bins) / len(pairs) == pytest.approx(labels.mean())
    assert abs(scores.mean() - labels.mean()) - 1e-9 <= found.error <= 4
