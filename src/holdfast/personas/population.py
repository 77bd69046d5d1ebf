"""The population: a networkx graph of user agents drawn from personas, and how their expectations change.

After a round of conversations each agent's expectation (desired empathy on the perceived scale, 1-5) takes two steps,
both averages, so it stays within 1-5:

1. *Own experience.* Expectation-disconfirmation (Oliver 1980, J. Marketing Research 17(4)): the expectation moves by a
   share of the difference between what was felt and what was expected, ``d' = d + own * (felt - d)``.
2. *Ties.* DeGroot (1974, JASA 69(345)): all agents at once average with their neighbours,
   ``d'' = (1 - neighbours) * d' + neighbours * mean(d' of the neighbours)``. An agent without ties keeps ``d'``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING, Any

import networkx as nx

from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean, quote
from holdfast.personas.loading import library
from holdfast.personas.population_config import (
    Graph,
    ListedTies,
    PopulationConfig,
    RandomTies,
    Ring,
    ScaleFree,
    SmallWorld,
    Spread,
    check_population,
)
from holdfast.personas.schema import DESIRED_ON_PERCEIVED_SCALE, Persona

if TYPE_CHECKING:
    Ties = nx.Graph[str]

LOWEST, HIGHEST = 1.0, 5.0  # of the perceived scale

_NO_SHARE = 1e-12  # below it networkx divides by log(1 - share) = 0


@dataclass(frozen=True, slots=True)
class Agent:
    """A persona in this population. ``desired``: the empathy it expects now, 1-5 on the perceived scale."""

    id: str
    persona: Persona
    desired: float


@dataclass(frozen=True, slots=True)
class Population:
    """Agents by id, and their ties (a frozen graph whose nodes are the agents' ids)."""

    agents: Mapping[str, Agent]
    ties: Ties
    spread: Spread

    def as_json(self, felt: Mapping[str, float] | None = None) -> dict[str, Any]:
        """Return ``nodes`` (id, persona, task, desired, felt) and ``edges``; felt is None where unknown."""
        known = {name: value for name, value in (felt or {}).items() if math.isfinite(value)}
        nodes = [
            {
                "id": agent.id,
                "persona": agent.persona.id,
                "task": agent.persona.task,
                "desired": agent.desired,
                "felt": known.get(agent.id),
            }
            for agent in self.agents.values()
        ]
        return {"nodes": nodes, "edges": [list(edge) for edge in self.ties.edges]}


# --- building ------------------------------------------------------------------------------------------------------


def build_population(config: PopulationConfig, seed: int, personas: Mapping[str, Persona] | None = None) -> Population:
    """Draw the agents and their ties; the same configuration and seed give the same population.

    ``personas`` are those that the configuration may name (default: the library).

    Raises:
        InputError: An unknown persona or agent, or a graph that does not fit the size.
    """
    known = library() if personas is None else personas
    wrong = check_population(config, known)
    if wrong:
        raise InputError("\n".join(f"population: {message}" for _, message in wrong))
    rng = Random(seed)
    chosen = [known[name] for name in config.personas] or list(known.values())
    agents = _named(_draw(chosen, config.size or len(chosen), config.balance, rng))
    places = list(agents)
    rng.shuffle(places)  # else neighbours on a ring would share a task
    return Population(
        agents, nx.freeze(_ties(config.generator(), list(agents), places, rng.getrandbits(32))), config.spread
    )


def _draw(personas: Sequence[Persona], size: int, balance: bool, rng: Random) -> list[Persona]:
    """Draw ``size`` personas. Balanced: counts of tasks differ by at most 1, and so do those of a task's personas."""
    if not balance:
        return rng.choices(personas, k=size)
    by_task: dict[str, list[Persona]] = {}
    for persona in personas:
        by_task.setdefault(persona.task, []).append(persona)
    tasks = list(by_task)
    rng.shuffle(tasks)
    for members in by_task.values():
        rng.shuffle(members)
    turns = {task: cycle(members) for task, members in by_task.items()}
    return [next(turns[task]) for task in islice(cycle(tasks), size)]


def _named(drawn: Sequence[Persona]) -> dict[str, Agent]:
    """Return agents by id: the persona's own, then ``id-2``, ``id-3``, …"""
    seen: Counter[str] = Counter()
    agents: dict[str, Agent] = {}
    for persona in sorted(drawn, key=lambda persona: (persona.task, persona.id)):
        seen[persona.id] += 1
        name = persona.id if seen[persona.id] == 1 else f"{persona.id}-{seen[persona.id]}"
        agents[name] = Agent(name, persona, DESIRED_ON_PERCEIVED_SCALE[persona.desired_empathy])
    return agents


def _ties(graph: Graph, agents: Sequence[str], places: Sequence[str], seed: int) -> Ties:
    """Return the ties among ``agents``; a generator's nodes 0, 1, … are ``places``."""
    ties: Ties = nx.Graph()
    ties.add_nodes_from(agents)
    if isinstance(graph, ListedTies):
        ties.add_edges_from(_listed(graph, agents))
    else:
        pairs = [(places[a], places[b]) for a, b in _generate(graph, len(places), seed)]
        ties.add_edges_from(sorted((min(pair), max(pair)) for pair in pairs))
    return ties


def _generate(graph: Graph, size: int, seed: int) -> list[tuple[int, int]]:
    """Return the edges that a generator draws among the nodes 0 to ``size`` - 1."""
    match graph:
        case Ring() | SmallWorld():
            rewired = graph.rewired if isinstance(graph, SmallWorld) else 0.0
            return list(nx.watts_strogatz_graph(size, graph.neighbours, rewired, seed=seed).edges)
        case ScaleFree():
            return list(nx.barabasi_albert_graph(size, graph.ties, seed=seed).edges)
        case RandomTies():
            share = graph.share if graph.share > _NO_SHARE else 0.0
            return list(nx.fast_gnp_random_graph(size, share, seed=seed).edges)
        case _:
            return []


def _listed(graph: ListedTies, agents: Sequence[str]) -> list[tuple[str, str]]:
    exist = set(agents)
    unknown = dict.fromkeys(name for edge in graph.edges for name in edge if name not in exist)
    wrong = [f"population: no agent {quote(name)} for an edge{did_you_mean(name, agents)}" for name in unknown]
    wrong += [f"population: edge from {quote(a)} to itself; remove it" for a, b in graph.edges if a == b]
    if wrong:
        raise InputError("\n".join(wrong))
    return list(graph.edges)


# --- rounds --------------------------------------------------------------------------------------------------------


def after_round(population: Population, felt: Mapping[str, float]) -> Population:
    """Return the population after a round. ``felt``: agent id to mean SENSE-7 score of its conversations, 1-5.

    An agent without a felt value, or with nan (its conversation failed), only averages with its neighbours. Shares of 0
    change nothing.

    Raises:
        ValueError: An agent does not exist, or a value lies outside 1-5.
    """
    for name, value in felt.items():
        if name not in population.agents:
            raise ValueError(f"no agent {name!r} in the population")
        if not math.isnan(value) and not LOWEST <= value <= HIGHEST:
            raise ValueError(f"felt empathy of {name!r}: expected 1 to 5, got {value}")
    spread = population.spread
    own = {
        agent.id: _towards(agent.desired, felt.get(agent.id, math.nan), spread.own)
        for agent in population.agents.values()
    }
    moved = {
        name: _towards(value, _around(population.ties, name, own), spread.neighbours) for name, value in own.items()
    }
    agents = {name: replace(agent, desired=moved[name]) for name, agent in population.agents.items()}
    return replace(population, agents=agents)


def _towards(value: float, goal: float, share: float) -> float:
    """Move ``value`` by ``share`` of the way to ``goal`` (not at all where it is nan), clipped to 1-5."""
    if math.isnan(goal):
        return value
    return min(max(value + share * (goal - value), LOWEST), HIGHEST)


def _around(ties: Ties, name: str, desired: Mapping[str, float]) -> float:
    """Return the mean expectation of an agent's neighbours; nan where there are none."""
    neighbours = list(ties.neighbors(name))
    return math.fsum(desired[other] for other in neighbours) / len(neighbours) if neighbours else math.nan
