"""How a whole study shows where it is: one line per stage while it runs, conversations as their own bar."""

import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from holdfast.adapters.progress import StageProgress, silent
from holdfast.core.text import visible
from holdfast.simulator.monitor.progress import NoProgress, PlainProgress, RunFigures, duration
from holdfast.simulator.monitor.progress import Progress as ConversationProgress

LINE_EVERY_S, FIRST_LINE_S = 10.0, 2.0


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is told how far things are; nobody by default."""

    stage: StageProgress = silent
    conversations: ConversationProgress = field(default_factory=NoProgress)


def count_up(stage: StageProgress, label: str, total: int) -> Callable[[int], None]:
    """Begin the stage ``label``; return a function that adds to what is done of ``total``, and reports it."""
    done = 0
    stage(label, done, total)

    def advance(count: int) -> None:
        nonlocal done
        done += count
        stage(label, done, total)

    return advance


class StageBar:
    """A bar per stage in a terminal."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=Console(stderr=True, highlight=False))
        self._stage = ""
        self._task: TaskID | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._bars.start()
            self._stage, self._task = stage, self._bars.add_task(stage, total=total)
        assert self._task is not None
        self._bars.update(self._task, completed=done, total=total)
        if done >= total:
            self._bars.refresh()
            self._bars.stop()


class StageLines:
    """A line when a stage ends, and before that soon and every ``every`` seconds, also while no step of it ends.

    For pipes and log files.
    """

    def __init__(self, every: float = LINE_EVERY_S) -> None:
        self._every = every
        self._stage, self._steps, self._over = "", "", True
        self._began = self._said = 0.0
        threading.Thread(target=_remind, args=(weakref.ref(self), every / 10), daemon=True).start()

    def __call__(self, stage: str, done: int, total: int) -> None:
        begins, self._over = stage != self._stage, done >= total
        self._stage, self._steps = stage, f"{done:,}/{total:,}"
        if begins:
            self._began = time.monotonic()
            self._said = self._began - self._every + min(self._every, FIRST_LINE_S)
        if self._over:
            self._say(self._steps)
        else:
            self.remind()

    def remind(self) -> None:
        """Say how far the stage is, unless that was said a short while ago."""
        now = time.monotonic()
        if not self._over and now - self._said >= self._every:
            self._say(f"{self._steps}, {duration(now - self._began)} so far")

    def _say(self, text: str) -> None:
        self._said = time.monotonic()
        print(f"{self._stage}: {text}", file=sys.stderr, flush=True)


def _remind(lines: "weakref.ref[StageLines]", every: float) -> None:
    """Have lines said while the stage's own thread is at work, until nobody has them any more."""
    while (living := lines()) is not None:
        living.remind()
        del living
        time.sleep(every)


class _View(Progress):
    """The bar with lines of text below it."""

    lines: tuple[str, ...] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        for line in self.lines:
            yield Text(line, style="dim", overflow="ellipsis", no_wrap=True)


class RichProgress(RunFigures):
    """A bar in a terminal, with figures below it that change as turns come in."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._bar = _View(TextColumn("conversations"), BarColumn(), TextColumn("{task.fields[line]}"), console=console)
        self._task = self._bar.add_task("", line="", total=None)

    def start(self, total: int, done: int) -> None:
        super().start(total, done)
        self._bar.start()
        self._show()

    def advance(self, turns: int = 1) -> None:
        super().advance(turns)
        self._show()

    def drop(self, turns: int) -> None:
        super().drop(turns)
        self._show()

    def note(self, text: str) -> None:
        self._bar.console.print(Text(visible(text)))

    def finish(self) -> None:
        self._show()
        self._bar.stop()

    def _show(self) -> None:
        self._bar.lines = tuple(line for line in (self.counted, self.means.words()) if line)
        self._bar.update(self._task, completed=self.speed.done, total=self.speed.total, line=self.speed.line())


def progress_for(*, quiet: bool = False, stream: TextIO | None = None) -> ConversationProgress:
    """A live view in a terminal, lines in a pipe, nothing where ``quiet``. ``stream``: standard error by default."""
    stream = stream or sys.stderr
    if quiet:
        return NoProgress()
    if stream.isatty():
        return RichProgress(Console(file=stream))
    return PlainProgress(stream)


def viewer(*, quiet: bool) -> Viewer:
    """Bars in a terminal, lines in a pipe, nothing where ``quiet``."""
    if quiet:
        return Viewer()
    return Viewer(StageBar() if sys.stderr.isatty() else StageLines(), progress_for())
