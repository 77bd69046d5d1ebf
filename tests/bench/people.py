"""Who takes part in the benchmarks of the engine: instant models, scripted people, and the people of a real study."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from holdfast.agents import registry
from holdfast.agents.protocols import ChatModel, Generation, GenerationRequest
from holdfast.agents.raters.coalescing import CoalescingRater
from holdfast.agents.registry import CandidateResources
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.engine.run import RunOutcome, Troupe, run_study
from holdfast.simulator.runtime.resources import study_rater, user_for
from tests.simulator.scripted import HashRater, ScriptedUser

REPLIES = (
    "I am so sorry that you are going through this. What part of it worries you the most?",
    "Try to split the work into smaller steps, and write down the three things that matter most.",
    "It makes sense that you feel torn about it. Send the draft to one colleague first.",
)


@dataclass(frozen=True)
class Instant:
    """Answers at once, or after ``latency`` seconds as an endpoint does; costs next to nothing."""

    id: str = "instant"
    latency: float = 0.0

    async def generate(self, request: GenerationRequest) -> Generation:
        if self.latency:
            await asyncio.sleep(self.latency)
        return Generation(REPLIES[request.seed % len(REPLIES)], 10, 10)


def plan(conversations: int, turns: int, *, concurrency: int = 32, **changes: Any) -> Plan:
    """A study of so many conversations: personas of the library with the bare model."""
    fields: dict[str, Any] = {"candidates": ("base",), "turns": turns, "seed": 5, "concurrency": concurrency}
    few = resolve(StudyConfig.model_validate(fields | changes))
    seeds = -(-conversations // len(few.episodes))
    whole = resolve(StudyConfig.model_validate(fields | changes | {"seeds": seeds}))
    return replace(whole, episodes=whole.episodes[:conversations])


def troupe(plan: Plan, model: ChatModel, *, scripted: bool) -> Troupe:
    """``scripted``: users and rater that cost nothing, so that what is measured is the engine; else a study's own."""
    shop = CandidateResources({plan.study.model: model}, plan.study.model, plan.tasks, plan.patterns)
    candidates = {spec.name: registry.build(spec, shop) for spec in plan.study.candidates}
    if scripted:
        return Troupe(candidates, ScriptedUser, {"hash": HashRater()})
    return Troupe(candidates, user_for, {"linear": CoalescingRater(study_rater(plan.study))})


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took. ``cpu`` and ``wall`` in seconds."""

    turns: int
    cpu: float
    wall: float

    @property
    def cpu_ms_per_turn(self) -> float:
        return 1000 * self.cpu / self.turns


def hold(plan: Plan, people: Troupe, out: Path | None = None) -> Cost:
    """Run the study in ``out`` (by default a folder that is gone afterwards), and measure it."""
    if out is None:
        with tempfile.TemporaryDirectory() as scratch:
            return hold(plan, people, Path(scratch) / "run")
    cpu, wall = time.process_time(), time.perf_counter()
    outcome: RunOutcome = run_study(plan, people, out)
    assert outcome.failed == 0
    return Cost(outcome.turns, time.process_time() - cpu, time.perf_counter() - wall)
