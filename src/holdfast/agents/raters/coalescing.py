"""Ratings that are asked for in the same moment, computed in one go: an array costs little more than one reply.

For raters that compute at once. One that waits for a model is better asked for each conversation on its own, so that
nobody waits for the slowest answer. The wrapped rater must rate a passage the same whatever stands beside it.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from holdfast.agents.raters.protocol import Passage, Rater, RaterIdentity, Rating, Scale


class _Asked(NamedTuple):
    passages: Sequence[Passage]
    answer: asyncio.Future[list[Rating]]


class CoalescingRater:
    """``rater``, asked once for all conversations that are ready at the same turn of the event loop."""

    def __init__(self, rater: Rater) -> None:
        self._rater = rater
        self._waiting: list[_Asked] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def identity(self) -> RaterIdentity:
        return self._rater.identity

    @property
    def scale(self) -> Scale:
        return self._rater.scale

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        loop = asyncio.get_running_loop()
        asked = _Asked(passages, loop.create_future())
        self._waiting.append(asked)
        if len(self._waiting) == 1:
            self._task = loop.create_task(self._go())  # runs when all that is ready now has had its say
        return await asked.answer

    async def _go(self) -> None:
        asked, self._waiting = self._waiting, []
        answers: list[list[Rating] | BaseException]
        try:
            ratings = iter(await self._rater.rate([passage for request in asked for passage in request.passages]))
            answers = [[next(ratings) for _ in request.passages] for request in asked]
        except Exception:  # one cannot be rated: the others must not suffer for it
            alone = (self._rater.rate(request.passages) for request in asked)
            answers = await asyncio.gather(*alone, return_exceptions=True)
        for request, answer in zip(asked, answers, strict=True):
            if request.answer.done():  # its conversation may have been given up
                continue
            if isinstance(answer, BaseException):
                request.answer.set_exception(answer)
            else:
                request.answer.set_result(answer)
