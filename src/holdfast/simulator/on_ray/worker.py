"""The task: some conversations at once in a Ray worker, each finished turn sent to the driver in the same moment."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.tracers.langchain import wait_for_all_tracers
from ray.exceptions import RayError

from holdfast.agents.models.served.halt import halting
from holdfast.agents.models.usage import Usage
from holdfast.core.errors import HaltedError
from holdfast.simulator.conversation.participants import Participants
from holdfast.simulator.engine.batch import cause, hold_conversation, never_answered
from holdfast.simulator.engine.pacing import Pacer
from holdfast.simulator.records import TurnRecord

ASK_EVERY_S = 0.5  # whether the user wants to stop


Assignment = tuple[Participants, tuple[TurnRecord, ...]]
"""A conversation to hold, or to go on with after the turns that the journal has."""


@dataclass(frozen=True, slots=True)
class ConversationEnd:
    """A conversation that needs no more turns, or broke off (``error``), or was halted.

    ``never_answered``: it broke off because an endpoint has never answered, so that all others are to stop.
    """

    episode_id: str
    turn: int
    stop: str | None = None
    error: str | None = None
    never_answered: bool = False


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What a task is sent. In one piece, so that ``usage`` is still what the models of the assignments count into."""

    assignments: tuple[Assignment, ...]
    usage: tuple[Usage, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkerMessage:
    """What a task sends back. ``usage``: what its models have counted since the last message."""

    event: TurnRecord | ConversationEnd
    usage: tuple[Usage, ...] = ()


Send = Callable[[TurnRecord | ConversationEnd], None]


class StopSignal:
    """The actor through which the driver lets all workers know that no new turn may start."""

    def __init__(self) -> None:
        self._requested = False

    def request(self) -> None:
        self._requested = True

    def requested(self) -> bool:
        return self._requested


def hold_assigned(task: WorkerTask, signal: Any) -> Iterator[WorkerMessage]:
    """Hold all assignments at once and yield what happens, as it happens.

    ``signal``: the handle of a :class:`StopSignal`.

    What the models count goes with it. So a worker that dies takes along only what was counted since its last message:
    requests of turns that no one has seen, which are asked again elsewhere, and counted there.
    """
    messages: queue.SimpleQueue[WorkerMessage | None] = queue.SimpleQueue()
    for usage in task.usage:
        usage.take()  # it came with what the driver knows already

    def send(event: TurnRecord | ConversationEnd) -> None:
        messages.put(WorkerMessage(event, tuple(usage.take() for usage in task.usage)))

    def hold() -> None:
        try:
            asyncio.run(_hold_all(task.assignments, signal, send))
            wait_for_all_tracers()  # Ray may end this process at any moment from here on
        finally:
            messages.put(None)

    threading.Thread(target=hold, name="holdfast-conversations", daemon=True).start()
    while (message := messages.get()) is not None:
        yield message


async def _hold_all(assignments: Sequence[Assignment], signal: Any, send: Send) -> None:
    halted = threading.Event()
    halting().begin()
    watch = asyncio.create_task(_watch(signal, halted))
    pacer = Pacer()
    await asyncio.gather(*(_hold(*assignment, halted.is_set, send, pacer) for assignment in assignments))
    watch.cancel()


async def _hold(
    participants: Participants, turns: Sequence[TurnRecord], halted: Callable[[], bool], send: Send, pacer: Pacer
) -> None:
    async def on_turn(record: TurnRecord) -> None:
        send(record)

    if halted():
        return
    try:
        end = await hold_conversation(replace(participants, on_turn=on_turn, halted=halted), turns, pacer)
    except HaltedError:  # it waited for its endpoint: its turn is still owed
        return
    except Exception as error:  # whatever a model, a user agent or a rater may raise
        silent = never_answered(error)
        send(ConversationEnd(participants.spec.id, len(turns), error=cause(error), never_answered=silent))
        if silent:
            halting().request(cause(error))
    else:
        send(ConversationEnd(participants.spec.id, end["turn"], stop=end["stop"]))


async def _watch(signal: Any, halted: threading.Event) -> None:
    """Ask now and then; a signal that cannot be reached belongs to a driver that is gone, and Ray ends us then."""
    while not halted.is_set():
        await asyncio.sleep(ASK_EVERY_S)
        with suppress(RayError):
            if await signal.requested.remote():
                halted.set()
                halting().request()
