"""What the engine itself costs, with a model that answers at once: CPU time, which other programs hardly move."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.agents.protocols import Generation, GenerationRequest
from tests.launch import LAUNCH
from tests.simulator.engine.studies import run, session, study
from tests.simulator.scripted import HashModel


class Instant(HashModel):
    async def generate(self, request: GenerationRequest) -> Generation:
        return Generation("That sounds hard. What worries you most?", 10, 10)


def cpu_ms_per_turn(out: Path, turns: int, replicates: int, at_once: int = 32) -> float:
    plan = study(turns=turns, replicates=replicates, batch_size=at_once)
    began = time.process_time()
    outcome = run(session(plan, Instant()), out)
    return 1000 * (time.process_time() - began) / outcome.turns


def test_a_turn_costs_milliseconds_and_late_turns_cost_what_early_ones_do(tmp_path: Path) -> None:
    cpu_ms_per_turn(tmp_path / "warm", 5, 1)
    short = min(cpu_ms_per_turn(tmp_path / f"short{n}", 20, 10) for n in range(2))
    long = min(cpu_ms_per_turn(tmp_path / f"long{n}", 200, 1) for n in range(2))
    assert short < 2  # 0.7 when this was written
    assert long < 1.6 * short


@pytest.mark.slow
def test_a_turn_of_a_wide_batch_costs_what_one_of_a_narrow_one_does(tmp_path: Path) -> None:
    cpu_ms_per_turn(tmp_path / "warm", 5, 1)
    narrow = min(cpu_ms_per_turn(tmp_path / f"narrow{n}", 12, 28, 8) for n in range(2))
    wide = min(cpu_ms_per_turn(tmp_path / f"wide{n}", 12, 28, 256) for n in range(2))
    assert wide < 1.5 * narrow


def test_the_garbage_collector_is_as_the_user_left_it(tmp_path: Path) -> None:
    before, seen = gc.get_threshold(), []

    class Looking(Instant):
        async def generate(self, request: GenerationRequest) -> Generation:
            seen.append(gc.get_threshold())
            return await super().generate(request)

    plan = study(turns=1)
    run(session(plan, Looking()), tmp_path)
    assert gc.get_threshold() == before
    assert set(seen) != {before}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_conversations_of_a_hundred_turns() -> None:
    """In a process of its own, users and rater of a real study, results and report included."""
    command = [sys.executable, LAUNCH, "tests.bench.long_batch"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert found["turns"] == 100_000
    assert found["peak_mb"] < 1000  # 365 when this was written
    first, *_, last = found["cpu_s_tenths"]
    assert last < 1.2 * first
    assert found["report_mb"] < 10
