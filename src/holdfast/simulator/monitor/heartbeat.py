"""Signs of life: once a second a running study notes in its journal how it fares, so that others may look on."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from holdfast.core.errors import HoldfastError, JournalError
from holdfast.simulator.engine.budget import Counters
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.journal.verify import PULSE
from holdfast.simulator.monitor.notices import Notices

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
    started: str | None = None  # tells the process from a later one with the same number; see process_start

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
        if self.started is not None and (started := process_start(self.pid)) is not None:
            return started == self.started
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            return True
        return True


_HEARTBEAT = TypeAdapter(Heartbeat)


def process_start(pid: int) -> str | None:
    """When a process of this machine began, told by the boot and the clock ticks since; None where that is unknown."""
    try:
        fields_of = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{fields_of[19]}"
    except (OSError, ValueError, IndexError):
        return None


def read_heartbeat(meta: Mapping[str, str]) -> Heartbeat | None:
    """The last sign of life in a journal's ``meta``; None where no run has written one."""
    try:
        given: dict[str, Any] = json.loads(meta.get(PULSE, "null")) or {}
        known = {each.name: given[each.name] for each in fields(Heartbeat) if each.name in given}
        return _HEARTBEAT.validate_json(json.dumps(known), strict=True) if known else None
    except (ValidationError, ValueError, TypeError, AttributeError, RecursionError):
        return None  # damaged: as if there were none


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
        self._started = process_start(os.getpid())
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
            os.getpid(), socket.gethostname(), self._began, self._last, *turns, state, counts, notices, self._started
        )
        self._journal.remember(PULSE, json.dumps(asdict(heartbeat)))
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
