"""Spreads the work of many conversations whose replies arrive together, so that requests leave while others compute."""

import asyncio
from collections import deque
from dataclasses import dataclass

from holdfast.agents.protocols import AssistantView, Candidate, Reply

AT_ONCE = 8  # conversations that go on per turn of the event loop


class Pacer:
    """Lets at most ``at_once`` waiters go on per turn of the event loop, first come first served.

    When hundreds of replies arrive in the same moment, asyncio would advance all their conversations in lockstep and
    none would send its next request before the last had done its work. In small groups the first are back at the
    endpoint while the others compute, and the bursts thin out by themselves.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = self._left = at_once
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._refill: asyncio.Handle | None = None

    async def wait(self) -> None:
        """Return at once where fewer than ``at_once`` callers came at this turn of the loop, else some turns later."""
        loop = asyncio.get_running_loop()
        if self._refill is None:
            self._refill = loop.call_soon(self._admit)
        if self._left:
            self._left -= 1
            return
        self._waiting.append(loop.create_future())
        await self._waiting[-1]

    def _admit(self) -> None:
        self._left, self._refill = self._at_once, None
        while self._waiting and self._left:
            waiter = self._waiting.popleft()
            if not waiter.done():  # its conversation may have been cancelled
                waiter.set_result(None)
                self._left -= 1
        if self._left < self._at_once:
            self._refill = asyncio.get_running_loop().call_soon(self._admit)


@dataclass(frozen=True, slots=True)
class PacedCandidate:
    """``candidate``, whose replies pass ``pacer`` before their conversations go on."""

    candidate: Candidate
    pacer: Pacer

    @property
    def name(self) -> str:
        return self.candidate.name

    @property
    def knows_task(self) -> bool:
        return self.candidate.knows_task

    async def reply(self, view: AssistantView) -> Reply:
        reply = await self.candidate.reply(view)
        await self.pacer.wait()
        return reply
