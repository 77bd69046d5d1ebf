"""How fast a run is and how long it will take: the arithmetic that every view of it shares."""

import time
from collections.abc import Callable
from dataclasses import dataclass


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
        return f"{self.done:,}/{self.total:,} turns, {self.turns_per_s:.1f} turns/s{left}"


def duration(seconds: float) -> str:
    """A span in words that a person reads at a glance."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
