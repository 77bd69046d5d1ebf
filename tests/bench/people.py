"""Who takes part in the benchmarks of the engine: instant models, scripted people, and the people of a real study."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from holdfast.agents.protocols import ChatModel, Generation, GenerationRequest
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.engine.run import run_study
from holdfast.simulator.runtime.raters import raters_of
from holdfast.simulator.runtime.resources import Resources
from holdfast.simulator.runtime.session import Session, session_of
from tests.simulator.scripted import HashRater, ScriptedUser

LoopFactory = Callable[[], asyncio.AbstractEventLoop]

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
    replicates = -(-conversations // len(few.episodes))
    whole = resolve(StudyConfig.model_validate(fields | changes | {"replicates": replicates}))
    return replace(whole, episodes=whole.episodes[:conversations])


def session(plan: Plan, model: ChatModel, *, scripted: bool) -> Session:
    """``scripted``: users and rater that cost nothing, so that what is measured is the engine; else a study's own."""
    resources = Resources(plan, {plan.study.model: model}, {}, raters_of(plan.study, {}))
    if not scripted:
        return session_of(resources)
    return Session(
        plan,
        resources.candidates(),
        lambda _, persona: ScriptedUser(persona),
        {"hash": HashRater()},
        usage=resources.usage,
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took. ``cpu`` and ``wall`` in seconds."""

    turns: int
    cpu: float
    wall: float

    @property
    def cpu_ms_per_turn(self) -> float:
        return 1000 * self.cpu / self.turns


def hold(session: Session, out: Path | None = None, loop_factory: LoopFactory = asyncio.SelectorEventLoop) -> Cost:
    """Hold the study in ``out`` (by default a folder that is gone afterwards), and measure it by the loop's clock."""
    if out is None:
        with tempfile.TemporaryDirectory() as scratch:
            return hold(session, Path(scratch) / "run", loop_factory)
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        clock = runner.get_loop().time
        cpu, wall = time.process_time(), clock()
        outcome = runner.run(run_study(session, out))
        assert outcome.failed == 0
        return Cost(outcome.turns, time.process_time() - cpu, clock() - wall)
