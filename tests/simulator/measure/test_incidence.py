"""Competing ends, worked out by hand."""

import numpy as np
import pytest

from simulator.measure.incidence import cumulative_incidence
from simulator.measure.survival import kaplan_meier


def test_by_hand():
    # Five conversations: turn 1 fails; turn 2 wins; turn 2 cut off; turn 3 fails; turn 3 planned end.
    time = np.array([1, 2, 2, 3, 3])
    ends = ["failure", "success", "", "failure", ""]
    found = cumulative_incidence(time, ends, ("failure", "success"))
    # Turn 1: 1/5 fail; S = 4/5. Turn 2: 4 at risk, 1 wins: 4/5 * 1/4 = 1/5; S = 4/5 * 3/4 = 3/5.
    # Turn 3: 2 at risk, 1 fails: 3/5 * 1/2 = 3/10.
    assert found["failure"] == pytest.approx([0.2, 0.2, 0.5])
    assert found["success"] == pytest.approx([0.0, 0.2, 0.2])


def test_one_way_of_ending_is_one_minus_kaplan_meier():
    rng = np.random.default_rng(0)
    time, failed = rng.integers(1, 9, 200), rng.random(200) < 0.4
    ends = np.where(failed, "failure", "").tolist()
    found = cumulative_incidence(time, ends, ("failure",))["failure"]
    assert found == pytest.approx(1 - kaplan_meier(time, failed).share)


def test_nothing_at_all():
    found = cumulative_incidence(np.zeros(0, dtype=np.int64), [], ("failure", "success"))
    assert [len(share) for share in found.values()] == [0, 0]
    assert len(cumulative_incidence(np.array([0, 0]), ["failure", ""], ("failure",))["failure"]) == 0
