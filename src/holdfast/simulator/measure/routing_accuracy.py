"""How often candidates recognised the task of a conversation."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from holdfast.simulator.measure.bootstrap import DRAWS, Resamples, ratio_interval
from holdfast.simulator.records import EpisodeRecord


@dataclass(frozen=True, slots=True)
class RoutingAccuracy:
    """Accuracy over turns whose reply came with a recognised task. ``lo``, ``hi``: 95 %, clustered by persona.

    ``pattern_accuracy``: share of turns whose recognised task has the true task's pattern; two tasks of one pattern
    share an expert, so confusing them costs nothing. ``by_turn``: (turn, accuracy, n).
    """

    accuracy: float
    lo: float
    hi: float
    n: int
    pattern_accuracy: float
    confusion: Mapping[str, Mapping[str, int]]  # true -> predicted -> turns
    by_turn: tuple[tuple[int, float, int], ...]


def routing_accuracy(
    episodes: Iterable[EpisodeRecord], pattern_of: Mapping[str, str], rng: np.random.Generator, draws: int = DRAWS
) -> RoutingAccuracy | None:
    """Return the accuracy of the task itself; None where no reply came with a recognised task.

    All candidates that recognise tasks are pooled. ``pattern_of``: task -> pattern; a recognised task that is not in it
    counts as wrong.
    """
    confusion: Counter[tuple[str, str]] = Counter()
    by_turn: dict[int, list[bool]] = {}
    right, counted, groups = [], [], []
    for episode in sorted(episodes, key=lambda episode: episode.spec.id):
        task = episode.spec.task
        guesses = [(turn.turn, turn.recognised_task) for turn in episode.turns if turn.recognised_task is not None]
        if not guesses:
            continue
        for number, guess in guesses:
            confusion[task, guess] += 1
            by_turn.setdefault(number, []).append(guess == task)
        right.append(sum(guess == task for _, guess in guesses))
        counted.append(len(guesses))
        groups.append(episode.spec.persona)
    if not counted:
        return None
    interval = ratio_interval(np.array(right, float), np.array(counted, float), Resamples.of(groups, rng, draws))
    n = sum(counted)
    same_pattern = sum(
        times
        for (true, guess), times in confusion.items()
        if guess in pattern_of and pattern_of[guess] == pattern_of.get(true)
    )
    table: dict[str, dict[str, int]] = {}
    for (true, guess), times in sorted(confusion.items()):
        table.setdefault(true, {})[guess] = times
    curve = tuple((number, float(np.mean(by_turn[number])), len(by_turn[number])) for number in sorted(by_turn))
    return RoutingAccuracy(interval.mean, interval.lo, interval.hi, n, same_pattern / n, table, curve)
