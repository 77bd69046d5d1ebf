"""Are people's goals served? The share of its persona's goals that a conversation has served, by turn."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.measure.estimates import Count, Number, ResultsPart
from holdfast.simulator.records import EpisodeRecord


class GoalServed(ResultsPart):
    """One goal of a persona."""

    persona: str
    goal: str = Field(description="Its id in the persona.")
    episodes: Count
    served: Count = Field(description="Conversations that served it.")
    mean_turn: Number = Field(description="Turn that served it, where one did.")


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


def service_by_goal(episodes: Sequence[EpisodeRecord], goals: Mapping[str, Sequence[str]]) -> list[GoalServed]:
    """Every goal of every persona that talked, in the order of personas and of their goals."""
    by_persona: dict[str, list[EpisodeRecord]] = {}
    for episode in episodes:
        by_persona.setdefault(episode.spec.persona, []).append(episode)
    rows = []
    for persona in sorted(by_persona):
        first = [_first_served(episode) for episode in by_persona[persona]]
        for goal in goals[persona]:
            turns = np.array([turn_of[goal] for turn_of in first if goal in turn_of], dtype=np.float64)
            mean = float(present_mean(turns))
            rows.append(GoalServed(persona=persona, goal=goal, episodes=len(first), served=len(turns), mean_turn=mean))
    return rows


def _first_served(episode: EpisodeRecord) -> dict[str, int]:
    """Goal -> the first turn that served it."""
    turn_of: dict[str, int] = {}
    for turn in sorted(episode.turns, key=lambda turn: turn.turn):
        for goal in turn.goals_served:
            turn_of.setdefault(goal, turn.turn)
    return turn_of
