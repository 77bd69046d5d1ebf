"""Killed and resumed under a model that fails at random: every turn once, words as in a calm run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.fault_run import FAULTS, fault_run


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_conversations_killed_ten_times(tmp_path: Path) -> None:
    result = fault_run(tmp_path, conversations=200, turns=30, kills=10, rate=0.004)
    assert result.met["SIGKILL of the whole process"] == 10
    assert result.met.total() > 10
    assert {fault.split(":")[0] for fault in result.met} <= {type(fault).__name__ for fault in FAULTS} | {
        "SIGKILL of the whole process"
    }
    assert (result.turns, result.twice, result.missing) == (6000, 0, 0)
    assert result.equal
