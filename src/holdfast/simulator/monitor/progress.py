"""How far a run is: turns done, turns a second, time left. On standard error, so that a pipe stays clean."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from holdfast.agents.raters.protocol import EXPRESSED, Rating, Scale
from holdfast.core.text import visible
from holdfast.core.wording import how_many
from holdfast.simulator.monitor.running_means import RunningMeans, counter_words
from holdfast.simulator.records import EpisodeSpec, TurnRecord


@dataclass
class Speed:
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
        return f"{self.done:,}/{how_many(self.total, 'turn')}, {self.turns_per_s:.1f} turns/s{left}"


def duration(seconds: float) -> str:
    """A span in words that a person reads at a glance."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


class Progress:
    """What a run reports while it goes. Methods must be quick, as they are called once per turn; here none shows it."""

    def expect(self, targets: Mapping[str, Sequence[float]], scale: Scale = EXPRESSED) -> None:
        """Task -> target level of each dimension of the first rater's ``scale``, for those who show adherence; called
        before the start."""

    def start(self, total: int, done: int) -> None:
        """``total`` turns at most, of which ``done`` were in the journal already."""

    def recall(self, rows: Iterable[tuple[int, str, str, Rating]]) -> None:
        """What was in the journal already: (row, candidate, task, primary rating) of each turn."""

    def advance(self, turns: int = 1) -> None:
        """Turns have been finished and are in the journal."""

    def see(self, spec: EpisodeSpec, record: TurnRecord) -> None:
        """The turn that has just been kept, for those who show more than how many there are."""

    def count(self, counters: Mapping[str, float]) -> None:
        """What the models have counted over all calls, about once a second."""

    def drop(self, turns: int) -> None:
        """Turns will not be held: a user left, an episode failed."""

    def note(self, text: str) -> None:
        """Something that the user should read now."""

    def finish(self) -> None:
        """The run is over, well or not."""


class NoProgress(Progress):
    """Says nothing."""


class RunFigures(Progress):
    """Keeps the figures that a view shows: the speed, what the models count, and adherence so far."""

    def __init__(self, speed: Speed | None = None) -> None:
        self.speed = speed or Speed()
        self.means = RunningMeans({})
        self.counted = ""

    def expect(self, targets: Mapping[str, Sequence[float]], scale: Scale = EXPRESSED) -> None:
        self.means = RunningMeans(targets, scale)

    def start(self, total: int, done: int) -> None:
        self.speed.start(total, done)

    def recall(self, rows: Iterable[tuple[int, str, str, Rating]]) -> None:
        self.means.add_rows(rows)

    def advance(self, turns: int = 1) -> None:
        self.speed.done += turns

    def see(self, spec: EpisodeSpec, record: TurnRecord) -> None:
        self.means.add(spec.candidate, spec.task, [record.primary])

    def count(self, counters: Mapping[str, float]) -> None:
        self.counted = counter_words(counters)

    def drop(self, turns: int) -> None:
        self.speed.total -= turns


class PlainProgress(RunFigures):
    """A line every ``every`` seconds, for pipes and log files."""

    def __init__(self, stream: TextIO | None = None, every: float = 5.0, speed: Speed | None = None) -> None:
        super().__init__(speed)
        self._stream, self._every, self._said = stream or sys.stderr, every, 0.0

    def start(self, total: int, done: int) -> None:
        super().start(total, done)
        self._said = self.speed.clock()
        if done:
            self.note(f"{done:,} of {how_many(total, 'turn')} were in the journal already")

    def advance(self, turns: int = 1) -> None:
        super().advance(turns)
        self._line_if_due()

    def count(self, counters: Mapping[str, float]) -> None:
        super().count(counters)
        self._line_if_due()  # no turn comes, but the user should see that it goes on

    def note(self, text: str) -> None:
        print(visible(text), file=self._stream, flush=True)

    def finish(self) -> None:
        self.note("; ".join(part for part in (self.speed.line(), self.counted, self.means.words()) if part))

    def _line_if_due(self) -> None:
        if self.speed.clock() - self._said >= self._every:
            self._said = self.speed.clock()
            self.finish()
