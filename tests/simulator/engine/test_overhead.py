"""What the engine itself costs, with a model that answers at once. Bounds are loose: machines are shared."""

from __future__ import annotations

import time
from pathlib import Path

from agents.protocols import Generation, GenerationRequest
from simulator.engine.run import run_study
from tests.simulator.engine.studies import study, troupe
from tests.simulator.scripted import HashModel


class Instant(HashModel):
    async def generate(self, request: GenerationRequest) -> Generation:
        return Generation("That sounds hard. What worries you most?", 10, 10)


def cpu_ms_per_turn(out: Path, turns: int, seeds: int) -> float:
    plan = study(turns=turns, seeds=seeds, batch_size=32)
    began = time.process_time()
    outcome = run_study(plan, troupe(plan, Instant()), out)
    return 1000 * (time.process_time() - began) / outcome.turns


def test_a_turn_costs_milliseconds_and_late_turns_cost_what_early_ones_do(tmp_path: Path) -> None:
    cpu_ms_per_turn(tmp_path / "warm", 5, 1)
    short = cpu_ms_per_turn(tmp_path / "short", 20, 10)
    long = cpu_ms_per_turn(tmp_path / "long", 200, 1)
    assert short < 10
    assert long < 1.6 * short
