"""Signs of life: once a second a running study notes in its journal how it fares, so that others may look on."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any

from holdfast.core.errors import HoldfastError, JournalError
from holdfast.simulator.engine.budget import Counters
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.monitor.notices import Notices

KEY = "pulse"  # in a journal's meta
RUNNING, DONE, STOPPED, FAILED = "running", "done", "stopped: ", "failed: "


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last sign of life. Times are seconds since 1970; ``state``: "running", "done", or why it stopped or failed.

    ``turns_before``: turns in the journal when this call began; ``counters``: over all calls so far; ``notices``: what
    the models would have the user know, such as why an endpoint is waited for.
    """

    pid: int
    host: str
    began: float
    at: float
    turns_before: int
    turns: int
    state: str = RUNNING
    counters: Mapping[str, float] = field(default_factory=dict)
    notices: Sequence[str] = ()

    @property
    def turns_per_s(self) -> float | None:
        """Of the last call; None before its first second is over."""
        seconds = self.at - self.began
        return (self.turns - self.turns_before) / seconds if seconds >= 1 else None

    def alive(self) -> bool | None:
        """Whether the process is still there; None where that cannot be known, because it ran on another machine."""
        if self.state != RUNNING:
            return False
        if self.host != socket.gethostname():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def read_heartbeat(meta: Mapping[str, str]) -> Heartbeat | None:
    """The last sign of life in a journal's ``meta``; None where no run has written one."""
    if KEY not in meta:
        return None
    fields: dict[str, Any] = json.loads(meta[KEY])
    return Heartbeat(**fields)


class HeartbeatWriter:
    """``async with HeartbeatWriter(...)``: a sign of life every second, also while no turn is finished."""

    def __init__(
        self,
        journal: Journal,
        counters: Counters,
        on_counters: Callable[[Mapping[str, float]], None],
        notices: Notices | None = None,
        *,
        every: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``on_counters``: called with what the models count, at each sign of life, when ``notices`` look too."""
        self._notices = notices
        self._journal, self._counters, self._on_counters = journal, counters, on_counters
        self._every, self._clock = every, clock
        before = read_heartbeat(journal.meta())
        self._earlier: Mapping[str, float] = before.counters if before else {}
        self._turns_before = self._turns = journal.count().turns
        self._began = self._last = clock()
        self.note(RUNNING)

    def counters(self) -> dict[str, float]:
        """This call's counts added to those of earlier calls."""
        now = self._counters()
        return {name: self._earlier.get(name, 0) + now.get(name, 0) for name in (*self._earlier, *now)}

    def beat(self) -> None:
        """One more turn is finished."""
        self._turns += 1
        if self._clock() - self._last >= self._every:
            self.note(RUNNING)

    def note(self, state: str) -> None:
        """Write a sign of life now."""
        self._last, counts = self._clock(), self.counters()
        notices = self._notices.look() if self._notices is not None else ()
        turns = (self._turns_before, self._turns)
        heartbeat = Heartbeat(
            os.getpid(), socket.gethostname(), self._began, self._last, *turns, state, counts, notices
        )
        self._journal.remember(KEY, json.dumps(asdict(heartbeat)))
        self._on_counters(counts)

    async def __aenter__(self) -> HeartbeatWriter:
        self._task = asyncio.create_task(self._beat_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        if value is not None:
            why = str(value) if isinstance(value, HoldfastError) else "interrupted"
            with suppress(JournalError):  # the disk may be full, which is reported already
                self.note(f"{STOPPED}{why}")

    async def _beat_on(self) -> None:
        with suppress(JournalError):  # the next turn will meet it too, and raise
            while True:
                await asyncio.sleep(self._every)
                if self._clock() - self._last >= self._every:
                    self.note(RUNNING)
