"""Replies that arrive together go on in small groups: in order, at no cost for others, with the same words."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from holdfast.agents.assistants.candidates import SingleModel
from holdfast.agents.protocols import AssistantView, Generation, GenerationRequest, Message
from holdfast.simulator.engine.pacing import AT_ONCE, PacedCandidate, Pacer
from tests.simulator.engine.studies import run, session, study, transcripts
from tests.simulator.scripted import HashModel


async def test_a_few_go_on_per_turn_of_the_loop_in_order() -> None:
    pacer, passed = Pacer(3), []

    async def come(number: int) -> None:
        await pacer.wait()
        passed.append(number)

    crowd = [asyncio.create_task(come(number)) for number in range(10)]
    await asyncio.sleep(0)
    assert passed == [0, 1, 2]
    crowd[4].cancel()  # gives up its place, which costs nobody else's
    seen = [len(passed)]
    while len(passed) < 9:
        await asyncio.sleep(0)
        seen.append(len(passed))
    assert passed == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert max(after - before for before, after in pairwise(seen)) == 3
    await asyncio.gather(*crowd, return_exceptions=True)
    for _ in range(3):  # nobody waits: it lets through at once, and rests
        await asyncio.sleep(0)
    assert pacer._refill is None
    with pytest.raises(StopIteration):
        pacer.wait().send(None)


async def test_a_paced_candidate_is_the_candidate() -> None:
    candidate = SingleModel(HashModel(), "mine")
    paced = PacedCandidate(candidate, Pacer())
    view = AssistantView("mine/amira/1/9/0", 1, (Message("user", "hello"),), 7)
    assert (paced.name, paced.knows_task) == ("mine", False)
    assert await paced.reply(view) == await candidate.reply(view)


def test_first_requests_leave_while_others_still_wait_for_their_turn(tmp_path: Path) -> None:
    """All 72 first replies come in the same moment; in lockstep all 72 second requests would leave in another."""

    class Together(HashModel):
        def __init__(self) -> None:
            super().__init__()
            self.arrived = asyncio.Event()
            self.ticks: list[int] = []
            self.tick = 0

        async def count_ticks(self) -> None:
            while True:
                self.tick += 1
                await asyncio.sleep(0)

        async def generate(self, request: GenerationRequest) -> Generation:
            made = await super().generate(request)
            if len(request.messages) == 1:
                if sum(len(asked.messages) == 1 for asked in self.requests) == 72:
                    self.counter = asyncio.create_task(self.count_ticks())
                    self.arrived.set()
                await self.arrived.wait()
            else:
                self.ticks.append(self.tick)
            return made

    plan, model = study(candidates=["base"], replicates=24, turns=2, concurrency=72), Together()
    run(session(plan, model), tmp_path)
    assert len(model.ticks) == 72
    spread = max(model.ticks) - min(model.ticks)
    assert spread >= 72 // AT_ONCE - 1


def test_how_many_run_at_once_changes_no_word(tmp_path: Path) -> None:
    """Users that leave and a candidate that fails among them."""
    for at_once in (1, 100):
        plan = study(replicates=3, turns=4, concurrency=at_once, leave=True)
        outcome = run(session(plan, HashModel(fail="system_prompt/jun_park"), leaves_after=3), tmp_path / str(at_once))
        assert outcome.failed == 3
    assert transcripts(tmp_path / "1") == transcripts(tmp_path / "100")
