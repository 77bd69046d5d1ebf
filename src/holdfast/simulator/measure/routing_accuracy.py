"""How often candidates recognised the task of a conversation."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
from pydantic import Field

from holdfast.personas.schema import TaskContext
from holdfast.simulator.measure.bootstrap import DRAWS, Resamples, ratio_interval
from holdfast.simulator.measure.estimates import Count, ResultsPart, Share, TurnNumber
from holdfast.simulator.records import EpisodeRecord


class RoutingPoint(ResultsPart):
    """How well the task was recognised at one turn."""

    turn: TurnNumber
    accuracy: Share
    n: Count


class RoutingResults(ResultsPart):
    """How well the task was recognised."""

    accuracy: Share = Field(description="Share of turns in which the task itself was recognised.")
    lo: Share
    hi: Share
    reason: str = Field(
        default="", description="Why limits are null though people are enough: all are alike; or empty."
    )
    n: Count = Field(description="Turns.")
    pattern_accuracy: Share = Field(
        description="Share of turns in which the recognised task has the true task's pattern."
    )
    confusion: dict[str, dict[str, Count]] = Field(description="True task -> recognised task -> turns.")
    accuracy_by_turn: list[RoutingPoint]


def routing_accuracy(
    episodes: Iterable[EpisodeRecord], tasks: Mapping[str, TaskContext], rng: np.random.Generator, draws: int = DRAWS
) -> RoutingResults | None:
    """Return the accuracy of the task itself; None where no reply came with a recognised task.

    All candidates that recognise tasks are pooled. ``tasks``: by id; a recognised task that is not in it
    counts as wrong; two tasks of one pattern share an expert, so confusing them costs nothing. Limits: 95 %, clustered
    by persona.
    """
    confusion: defaultdict[str, Counter[str]] = defaultdict(Counter)
    by_turn: defaultdict[int, list[bool]] = defaultdict(list)
    right, counted, groups = [], [], []
    for episode in sorted(episodes, key=lambda episode: episode.spec.id):
        task = episode.spec.task
        guesses = [(turn.turn, turn.recognised_task) for turn in episode.turns if turn.recognised_task is not None]
        if not guesses:
            continue
        for number, guess in guesses:
            confusion[task][guess] += 1
            by_turn[number].append(guess == task)
        right.append(sum(guess == task for _, guess in guesses))
        counted.append(len(guesses))
        groups.append(episode.spec.persona)
    if not counted:
        return None
    interval = ratio_interval(np.array(right, float), np.array(counted, float), Resamples.of(groups, rng, draws))
    n = sum(counted)
    same_pattern = sum(
        times
        for true, guesses in confusion.items()
        for guess, times in guesses.items()
        if guess in tasks and true in tasks and tasks[guess].pattern == tasks[true].pattern
    )
    return RoutingResults(
        accuracy=interval.mean,
        lo=interval.lo,
        hi=interval.hi,
        reason=interval.reason,
        n=n,
        pattern_accuracy=same_pattern / n,
        confusion={true: dict(sorted(guesses.items())) for true, guesses in sorted(confusion.items())},
        accuracy_by_turn=[
            RoutingPoint(turn=turn, accuracy=float(np.mean(right)), n=len(right))
            for turn, right in sorted(by_turn.items())
        ],
    )
