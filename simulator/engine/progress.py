"""How far a run is: turns done, turns a second, time left. On standard error, so that a pipe stays clean."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar


class Progress(Protocol):
    """What the engine tells while it runs; must be quick, as it is called once per turn."""

    def start(self, total: int, done: int) -> None:
        """``total`` turns at most, of which ``done`` were in the journal already."""
        ...

    def advance(self, turns: int = 1) -> None:
        """Turns have been finished and are in the journal."""
        ...

    def drop(self, turns: int) -> None:
        """Turns will not be held: a user left, an episode failed."""
        ...

    def note(self, text: str) -> None:
        """Something that the user should read now."""
        ...

    def finish(self) -> None:
        """The run is over, well or not."""
        ...


@dataclass
class Meter:
    """The arithmetic of progress. ``turns_per_s`` counts only what this run did itself."""

    clock: Callable[[], float] = time.monotonic
    total: int = 0
    done: int = 0
    _before: int = 0
    _began: float = 0.0

    def start(self, total: int, done: int) -> None:
        self.total, self.done, self._before, self._began = total, done, done, self.clock()

    @property
    def turns_per_s(self) -> float:
        """0 until a turn is finished."""
        elapsed = self.clock() - self._began
        return (self.done - self._before) / elapsed if elapsed > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """None while the speed is unknown."""
        return (self.total - self.done) / self.turns_per_s if self.turns_per_s > 0 else None

    def line(self) -> str:
        """``1,234/19,200 turns, 56.3 turns/s, 5 min left``."""
        left = f", {duration(self.seconds_left)} left" if self.seconds_left is not None else ""
        return f"{self.done:,}/{self.total:,} turns, {self.turns_per_s:.1f} turns/s{left}"


def duration(seconds: float) -> str:
    """A span in words that a person reads at a glance."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


class NoProgress:
    """Says nothing."""

    def start(self, total: int, done: int) -> None: ...
    def advance(self, turns: int = 1) -> None: ...
    def drop(self, turns: int) -> None: ...
    def note(self, text: str) -> None: ...
    def finish(self) -> None: ...


@dataclass
class PlainProgress:
    """A line every ``every`` seconds, for pipes and log files."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    every: float = 5.0
    meter: Meter = field(default_factory=Meter)
    _said: float = 0.0

    def start(self, total: int, done: int) -> None:
        self.meter.start(total, done)
        self._said = self.meter.clock()
        if done:
            self.note(f"{done:,} of {total:,} turns were in the journal already")

    def advance(self, turns: int = 1) -> None:
        self.meter.done += turns
        if self.meter.clock() - self._said >= self.every:
            self._said = self.meter.clock()
            self.note(self.meter.line())

    def drop(self, turns: int) -> None:
        self.meter.total -= turns

    def note(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def finish(self) -> None:
        self.note(self.meter.line())


class RichProgress:
    """A bar, for terminals."""

    def __init__(self, console: Console) -> None:
        self.meter = Meter()
        self._bar = Bar(TextColumn("conversations"), BarColumn(), TextColumn("{task.fields[line]}"), console=console)
        self._task = self._bar.add_task("", line="", total=None)

    def start(self, total: int, done: int) -> None:
        self.meter.start(total, done)
        self._bar.start()
        self._show()

    def advance(self, turns: int = 1) -> None:
        self.meter.done += turns
        self._show()

    def drop(self, turns: int) -> None:
        self.meter.total -= turns
        self._show()

    def note(self, text: str) -> None:
        self._bar.console.print(text)

    def finish(self) -> None:
        self._show()
        self._bar.stop()

    def _show(self) -> None:
        self._bar.update(self._task, completed=self.meter.done, total=self.meter.total, line=self.meter.line())


def progress_for(*, quiet: bool = False, stream: TextIO | None = None) -> Progress:
    """A bar in a terminal, lines in a pipe, nothing where ``quiet``. ``stream``: standard error by default."""
    stream = stream or sys.stderr
    if quiet:
        return NoProgress()
    return RichProgress(Console(file=stream)) if stream.isatty() else PlainProgress(stream)
