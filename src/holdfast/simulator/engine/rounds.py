"""What happens between two rounds of a population: everybody's expectation moves by what was felt.

Each candidate meets the population in a world of its own (one per replicate, length and simulator too), because what
one candidate does to people's expectations must not change what the next one finds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Any

from holdfast.simulator.config.plan import Plan
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec

if TYPE_CHECKING:
    from holdfast.personas.population import Population

World = tuple[str, int, int, str]
"""Candidate, replicate, length, simulator."""


def world_of(spec: EpisodeSpec) -> World:
    """The world in which an episode takes place."""
    return (spec.candidate, spec.replicate, spec.max_turns, spec.simulator)


def worlds(plan: Plan) -> dict[World, Population]:
    """The population as it is before the first round, in each world; empty where the study has none."""
    if plan.population is None:
        return {}
    return {world_of(spec): plan.population for spec in plan.episodes}


def next_round(before: Mapping[World, Population], episodes: Iterable[EpisodeRecord]) -> dict[World, Population]:
    """The worlds after a round whose conversations were ``episodes``."""
    from holdfast.personas.population import after_round  # brings networkx

    felt: dict[World, dict[str, float]] = defaultdict(dict)
    for episode in episodes:
        felt[world_of(episode.spec)][episode.spec.agent] = mean_felt(episode)
    return {world: after_round(population, felt[world]) for world, population in before.items()}


def mean_felt(episode: EpisodeRecord) -> float:
    """Mean of the felt dimensions over all turns, 1-5; nan where no turn was finished."""
    values = [value for turn in episode.turns for value in turn.felt.values()]
    return math.fsum(values) / len(values) if values else math.nan


def population_json(plan: Plan, episodes: Iterable[EpisodeRecord], candidate: str) -> dict[str, Any] | None:
    """The graph for results and report: agents with what they felt with ``candidate``, mean over the last round's
    conversations, and with every candidate what was expected and felt by round; None where the study has no
    population."""
    if plan.population is None:
        return None
    episodes = tuple(episodes)
    felt: dict[str, list[float]] = defaultdict(list)
    for episode in episodes:
        if episode.spec.candidate == candidate and episode.spec.round == plan.study.rounds - 1 and episode.turns:
            felt[episode.spec.agent].append(mean_felt(episode))
    graph = plan.population.as_json({agent: math.fsum(values) / len(values) for agent, values in felt.items()})
    return {**graph, "candidate": candidate, "rounds": _by_round(plan, episodes)}


def _by_round(plan: Plan, episodes: Iterable[EpisodeRecord]) -> list[dict[str, Any]]:
    """Mean expectation and mean of what was felt, by candidate and round, over the conversations that have a turn."""
    met: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    for episode in episodes:
        if episode.turns:
            expected = float(episode.turns[0].state["desired"])
            met[episode.spec.candidate, episode.spec.round].append((expected, mean_felt(episode)))
    rows: list[dict[str, Any]] = []
    for name in plan.study.candidate_names:
        for number in range(plan.study.rounds):
            if pairs := met.get((name, number)):
                desired, felt = map(fmean, zip(*pairs, strict=True))
                rows.append({"candidate": name, "round": number + 1, "desired": desired, "felt": felt})
    return rows
