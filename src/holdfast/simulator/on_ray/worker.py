"""The task: some conversations at once in a Ray worker, each finished turn sent to the driver in the same moment."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.tracers.langchain import wait_for_all_tracers
from ray.exceptions import RayError

from holdfast.agents.models.usage import Usage
from holdfast.simulator.conversation.participants import Participants
from holdfast.simulator.conversation.walk import Turnstile
from holdfast.simulator.engine.batch import cause, hold_one, turnstile_for
from holdfast.simulator.records import TurnRecord

ASK_EVERY_S = 0.5  # whether the user wants to stop


@dataclass(frozen=True, slots=True)
class Assignment:
    """A conversation to hold, or to go on with after the turns that the journal has."""

    cast: Participants
    turns: tuple[TurnRecord, ...]


@dataclass(frozen=True, slots=True)
class ConversationEnd:
    """A conversation that needs no more turns, or broke off (``error``), or was halted."""

    episode_id: str
    turn: int
    stop: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What a task is sent. In one piece, so that ``meters`` are still those that the models of the casts count into."""

    parts: tuple[Assignment, ...]
    meters: tuple[Usage, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerMessage:
    """What a task sends back. ``counted``: by each of its meters since the last news."""

    what: TurnRecord | ConversationEnd
    counted: tuple[Usage, ...] = ()


Tell = Callable[[TurnRecord | ConversationEnd], None]


class StopSignal:
    """The actor through which the driver tells all workers that no new turn may start."""

    def __init__(self) -> None:
        self._pulled = False

    def pull(self) -> None:
        self._pulled = True

    def pulled(self) -> bool:
        return self._pulled


def hold_assigned(work: WorkerTask, signal: Any) -> Iterator[WorkerMessage]:
    """Hold all parts at once and yield what happens, as it happens. ``signal``: the handle of a :class:`StopSignal`.

    What the models count goes with it. So a worker that dies takes along only what was counted since its last news:
    requests of turns that no one has seen, which are asked again elsewhere, and counted there.
    """
    news: queue.SimpleQueue[WorkerMessage | None] = queue.SimpleQueue()
    for meter in work.meters:
        meter.take()  # it came with what the driver knows already

    def tell(what: TurnRecord | ConversationEnd) -> None:
        news.put(WorkerMessage(what, tuple(meter.take() for meter in work.meters)))

    def hold() -> None:
        try:
            asyncio.run(_hold_all(work.parts, signal, tell))
            wait_for_all_tracers()  # Ray may end this process at any moment from here on
        finally:
            news.put(None)

    threading.Thread(target=hold, name="holdfast-conversations", daemon=True).start()
    while (item := news.get()) is not None:
        yield item


async def _hold_all(parts: Sequence[Assignment], signal: Any, tell: Tell) -> None:
    halted = threading.Event()
    watch = asyncio.create_task(_watch(signal, halted))
    turnstile = turnstile_for(len(parts))
    await asyncio.gather(*(_hold(part, halted.is_set, tell, turnstile) for part in parts))
    watch.cancel()


async def _hold(part: Assignment, halted: Callable[[], bool], tell: Tell, turnstile: Turnstile | None) -> None:
    async def on_turn(record: TurnRecord) -> None:
        tell(record)

    spec = part.cast.spec
    cast = replace(part.cast, on_turn=on_turn, halted=halted)
    try:
        if halted():
            return
        done = await hold_one(cast, part.turns, turnstile)
    except Exception as error:  # whatever a model, a user agent or a rater may raise
        tell(ConversationEnd(spec.id, len(part.turns), error=cause(error)))
    else:
        tell(ConversationEnd(spec.id, done["turn"], stop=done["stop"]))


async def _watch(signal: Any, halted: threading.Event) -> None:
    """Ask now and then; a signal that cannot be reached belongs to a driver that is gone, and Ray ends us then."""
    while not halted.is_set():
        await asyncio.sleep(ASK_EVERY_S)
        with suppress(RayError):
            if await signal.pulled.remote():
                halted.set()
