"""How a whole study shows where it is: one line per stage while it runs, conversations as their own bar."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from holdfast.adapters.progress import StageProgress, silent
from holdfast.simulator.monitor.progress import NoProgress, progress_for
from holdfast.simulator.monitor.progress import Progress as ConversationProgress

LINE_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is told how far things are; nobody by default."""

    stage: StageProgress = silent
    conversations: ConversationProgress = field(default_factory=NoProgress)


def count_up(stage: StageProgress, label: str, total: int) -> Callable[[int], None]:
    """Return a function that adds to what is done of ``total``, and reports it as the stage ``label``."""
    done = 0

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
    """A line when a stage starts and ends, and now and then between, for pipes and log files."""

    def __init__(self) -> None:
        self._stage = ""
        self._said = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage != self._stage or done >= total or now - self._said >= LINE_EVERY_S:
            self._stage, self._said = stage, now
            print(f"{stage}: {done}/{total}", file=sys.stderr, flush=True)


def viewer(*, quiet: bool) -> Viewer:
    """Bars in a terminal, lines in a pipe, nothing where ``quiet``."""
    if quiet:
        return Viewer()
    return Viewer(StageBar() if sys.stderr.isatty() else StageLines(), progress_for())
