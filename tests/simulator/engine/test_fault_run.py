"""Killed and resumed while everything fails at random: every turn once, words as in a calm run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.fault_run import fault_run


@pytest.mark.slow
def test_a_small_batch_in_process(tmp_path: Path) -> None:
    result = fault_run(tmp_path, conversations=24, turns=5, kills=1, rate=0.02, served=False)
    assert (result.turns, result.twice, result.missing) == (120, 0, 0)
    assert result.equal


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_conversations_over_a_server_that_fails_killed_ten_times(tmp_path: Path) -> None:
    result = fault_run(tmp_path, conversations=200, turns=30, kills=10, rate=0.05, served=True)
    assert result.met["SIGKILL of the batch"] == 10
    assert len(result.met) > 8  # 429, 500, timeouts, resets, truncated bodies, drips, restarts ...
    assert (result.turns, result.twice, result.missing) == (6000, 0, 0)
    assert result.equal
