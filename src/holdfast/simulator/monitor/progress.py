"""How far a run is: turns done, turns a second, time left. On standard error, so that a pipe stays clean."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from holdfast.agents.raters.protocol import EXPRESSED
from holdfast.simulator.monitor.running_means import RunningMeans, counter_words
from holdfast.simulator.monitor.speed import Speed
from holdfast.simulator.records import EpisodeSpec, TurnRecord


class Progress(Protocol):
    """What a run reports while it goes; must be quick, as it is called once per turn."""

    def expect(self, targets: Mapping[str, Sequence[float]]) -> None:
        """Task -> target level of each mechanism, for those who show adherence; called before the start."""
        ...

    def start(self, total: int, done: int) -> None:
        """``total`` turns at most, of which ``done`` were in the journal already."""
        ...

    def advance(self, turns: int = 1) -> None:
        """Turns have been finished and are in the journal."""
        ...

    def see(self, spec: EpisodeSpec, record: TurnRecord) -> None:
        """The turn that has just been kept, for those who show more than how many there are."""
        ...

    def count(self, counters: Mapping[str, float]) -> None:
        """What the models have counted over all calls, about once a second."""
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


class NoProgress:
    """Says nothing."""

    def expect(self, targets: Mapping[str, Sequence[float]]) -> None: ...
    def start(self, total: int, done: int) -> None: ...
    def advance(self, turns: int = 1) -> None: ...
    def see(self, spec: EpisodeSpec, record: TurnRecord) -> None: ...
    def count(self, counters: Mapping[str, float]) -> None: ...
    def drop(self, turns: int) -> None: ...
    def note(self, text: str) -> None: ...
    def finish(self) -> None: ...


@dataclass
class PlainProgress:
    """A line every ``every`` seconds, for pipes and log files."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    every: float = 5.0
    speed: Speed = field(default_factory=Speed)
    means: RunningMeans = field(default_factory=lambda: RunningMeans({}))
    _counted: str = ""
    _said: float = 0.0

    def expect(self, targets: Mapping[str, Sequence[float]]) -> None:
        self.means = RunningMeans(targets)

    def start(self, total: int, done: int) -> None:
        self.speed.start(total, done)
        self._said = self.speed.clock()
        if done:
            self.note(f"{done:,} of {total:,} turns were in the journal already")

    def advance(self, turns: int = 1) -> None:
        self.speed.done += turns
        if self.speed.clock() - self._said >= self.every:
            self._said = self.speed.clock()
            self.note(self._line())

    def see(self, spec: EpisodeSpec, record: TurnRecord) -> None:
        self.means.add(spec.candidate, spec.task, record.primary.levels(EXPRESSED.dimensions))

    def count(self, counters: Mapping[str, float]) -> None:
        words = counter_words(counters)
        if words != self._counted and self.speed.clock() - self._said >= self.every:  # no turn comes, but retries do
            self._said = self.speed.clock()
            self._counted = words
            self.note(self._line())
        self._counted = words

    def drop(self, turns: int) -> None:
        self.speed.total -= turns

    def note(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def finish(self) -> None:
        self.note(self._line())

    def _line(self) -> str:
        return "; ".join(part for part in (self.speed.line(), self._counted, self.means.words()) if part)


def progress_for(*, quiet: bool = False, stream: TextIO | None = None) -> Progress:
    """A live view in a terminal, lines in a pipe, nothing where ``quiet``. ``stream``: standard error by default."""
    stream = stream or sys.stderr
    if quiet:
        return NoProgress()
    if stream.isatty():
        from rich.console import Console

        from holdfast.simulator.monitor.terminal import RichProgress

        return RichProgress(Console(file=stream))
    return PlainProgress(stream)
