"""Are people's goals served? The share of its persona's goals that a conversation has served, by turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.records import EpisodeRecord


@dataclass(frozen=True, slots=True)
class GoalService:
    """How often one goal of a persona was served. ``mean_turn``: of the turns that served it, nan where none did."""

    persona: str
    goal: str
    episodes: int
    served: int
    mean_turn: float


def goals_known(episodes: Sequence[EpisodeRecord]) -> bool:
    """Whether these conversations say which goals they are about; a journal of version 1 does not."""
    return any(turn.said.goal is not None or turn.goals_served for episode in episodes for turn in episode.turns)


def served_share(episodes: Sequence[EpisodeRecord], goals: Mapping[str, Sequence[str]], turns: int) -> Floats:
    """Share of its persona's goals that each conversation has served up to each turn: episodes x ``turns``.

    ``goals``: persona -> ids. A conversation that ended early keeps its share up to its planned end, so that users who
    leave content do not lower the mean; one that failed or is not over is nan after its last turn.
    """
    share = np.full((len(episodes), turns), np.nan)
    for row, episode in enumerate(episodes):
        wanted = goals[episode.spec.persona]
        served: set[str] = set()
        for turn in sorted(episode.turns, key=lambda turn: turn.turn):
            served.update(turn.goals_served)
            share[row, turn.turn - 1] = len(served) / len(wanted)
        if episode.turns and episode.error is None and not episode.unfinished:
            share[row, len(episode.turns) : episode.spec.max_turns] = len(served) / len(wanted)
    return share


def served_in_the_end(share: Floats, planned: Sequence[int]) -> Floats:
    """Share of each conversation at its planned end (episodes); nan where it never came there."""
    rows = np.arange(len(share))
    return np.asarray(share[rows, np.asarray(planned, dtype=np.int64) - 1], dtype=np.float64)


def service_by_goal(episodes: Sequence[EpisodeRecord], goals: Mapping[str, Sequence[str]]) -> list[GoalService]:
    """Every goal of every persona that talked, in the order of personas and of their goals."""
    by_persona: dict[str, list[EpisodeRecord]] = {}
    for episode in episodes:
        by_persona.setdefault(episode.spec.persona, []).append(episode)
    services = []
    for persona in sorted(by_persona):
        first = [_first_served(episode) for episode in by_persona[persona]]
        for goal in goals[persona]:
            turns = np.array([turn_of[goal] for turn_of in first if goal in turn_of], dtype=np.float64)
            services.append(GoalService(persona, goal, len(first), len(turns), float(present_mean(turns))))
    return services


def _first_served(episode: EpisodeRecord) -> dict[str, int]:
    """Goal -> the first turn that served it."""
    turn_of: dict[str, int] = {}
    for turn in sorted(episode.turns, key=lambda turn: turn.turn):
        for goal in turn.goals_served:
            turn_of.setdefault(goal, turn.turn)
    return turn_of
