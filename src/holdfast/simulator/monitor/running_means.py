"""Running figures of a run, for those who look on while it goes: adherence so far, and what the models count."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from holdfast.agents.raters.adherence import adherence_of
from holdfast.agents.raters.protocol import EXPRESSED, Rating, Scale
from holdfast.personas.schema import EmpathyPattern, TaskContext


@dataclass
class RunningMeans:
    """Mean adherence per candidate over the turns seen so far, each turn counted once.

    ``targets``: task -> target level of each dimension of the primary rater's ``scale``. A first look, without
    intervals: candidates may not have met the same users yet.
    """

    targets: Mapping[str, Sequence[float]]
    scale: Scale = EXPRESSED
    turns: dict[str, int] = field(default_factory=dict)
    _sums: dict[str, float] = field(default_factory=dict)

    def add(self, candidate: str, task: str, ratings: Sequence[Rating]) -> None:
        """Add the primary ratings of some turns. A task without a target, and a reply without a rating, count
        nowhere; a disqualified reply counts 0."""
        if task not in self.targets:
            return
        values = adherence_of(ratings, self.targets[task], self.scale)
        values = values[~np.isnan(values)]
        if values.size:
            self.turns[candidate] = self.turns.get(candidate, 0) + values.size
            self._sums[candidate] = self._sums.get(candidate, 0.0) + float(values.sum())

    def add_rows(self, rows: Iterable[tuple[int, str, str, Rating]]) -> int:
        """Add turns of a journal: (row, candidate, task, primary rating) each; return the last row, 0 where none is."""
        last, kept = 0, defaultdict[tuple[str, str], list[Rating]](list)
        for row, candidate, task, rating in rows:
            last = row
            kept[candidate, task].append(rating)
        for (candidate, task), ratings in kept.items():
            self.add(candidate, task, ratings)
        return last

    def means(self) -> dict[str, float]:
        """Candidate -> mean adherence, 0-1, in the order in which they were first seen."""
        return {name: self._sums[name] / turns for name, turns in self.turns.items()}

    def words(self) -> str:
        """``adherence so far: base 0.52, routed 0.71``; empty before the first turn."""
        means = ", ".join(f"{name} {mean:.2f}" for name, mean in self.means().items())
        return f"adherence so far: {means}" if means else ""


def pattern_targets(
    tasks: Mapping[str, TaskContext], patterns: Mapping[str, EmpathyPattern], scale: Scale = EXPRESSED
) -> dict[str, tuple[float, ...]]:
    """Task -> target level of each dimension of ``scale``; nan where its pattern is on another."""
    return {id: patterns[task.pattern].target.on(scale.dimensions) for id, task in tasks.items()}


def counter_words(counters: Mapping[str, float]) -> str:
    """``requests 1,204, retries 3, cost usd 0.41``; what is 0 and a count's parts (``retries: reset``) stay unsaid."""
    shown = {name.replace("_", " "): value for name, value in counters.items() if value and ":" not in name}
    return ", ".join(f"{name} {_figure(value)}" for name, value in shown.items())


def _figure(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
