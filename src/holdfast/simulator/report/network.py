"""The population as a picture: who knows whom, coloured by what each felt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.report.values import fixed
from holdfast.simulator.results.model import PopulationRound, Results

WIDTH, HEIGHT, MARGIN = 1000.0, 620.0, 26.0
SHADES = 8  # classes v0-v7 of the style sheet, from felt empathy 1 to 5
LARGEST = 2000  # people; the layout's time grows with the square


@dataclass(frozen=True, slots=True)
class NetworkNode:
    """A person at a place of the drawing; ``shade`` None where nothing was felt."""

    x: float
    y: float
    radius: float
    shade: int | None
    label: str


@dataclass(frozen=True, slots=True)
class Network:
    """What is drawn, or in ``note`` the plain reason why nothing is. ``rounds``: by candidate, what was expected and
    felt in each round, where there are several; None where the candidate met nobody in it."""

    nodes: tuple[NetworkNode, ...] = ()
    edges: tuple[tuple[float, float, float, float], ...] = ()
    note: str = ""
    candidate: str | None = None
    rounds: Mapping[str, Sequence[PopulationRound | None]] = field(default_factory=dict)


def network(results: Results, names: Mapping[str, str]) -> Network | None:
    """Lay the graph out by Fruchterman and Reingold's forces (1991), seeded; None where there is no population.

    ``names``: persona id -> name. An edge to somebody who is not a node is dropped.
    """
    population = results.population
    if population is None or not population.nodes:
        return None
    people, rounds = population.nodes, _by_candidate(population.rounds)
    if len(people) > LARGEST:
        note = f"The population has {len(people):,} people, too many to draw legibly; see results.json."
        return Network(note=note, rounds=rounds)
    import networkx as nx

    graph: Any = nx.Graph()
    graph.add_nodes_from(person.id for person in people)
    graph.add_edges_from((a, b) for a, b in population.edges if a in graph and b in graph)
    places = nx.spring_layout(graph, seed=results.seed % 2**32, iterations=80, k=2.2 / max(1, len(people)) ** 0.5)
    at = dict(zip(places, _on_page(np.array([*places.values()], dtype=np.float64)), strict=True))
    small = min(1.0, (60 / len(people)) ** 0.5)
    nodes = []
    for person in people:
        x, y = at[person.id]
        shade = None if person.felt is None else min(SHADES - 1, max(0, int((person.felt - 1) / 4 * SHADES)))
        task = results.tasks[person.task].title if person.task in results.tasks else person.task
        label = f"{names.get(person.persona, person.persona)} · {task} · felt {fixed(person.felt, 1)}"
        radius = round((7 + 1.6 * min(8, graph.degree(person.id))) * small, 1)
        nodes.append(NetworkNode(x, y, radius, shade, label))
    ties = tuple((*at[a], *at[b]) for a, b in graph.edges())
    return Network(tuple(nodes), ties, candidate=population.candidate, rounds=rounds)


def _by_candidate(rounds: Sequence[PopulationRound]) -> dict[str, list[PopulationRound | None]]:
    last = max((each.round for each in rounds), default=1)
    met = {(each.candidate, each.round): each for each in rounds if last > 1}
    return {name: [met.get((name, number)) for number in range(1, last + 1)] for name, _ in met}


def _on_page(places: Floats) -> list[tuple[float, float]]:
    """Stretch places (people x 2) over the drawing, but for its margin."""
    low, span = places.min(axis=0), np.ptp(places, axis=0)
    inner = np.array([WIDTH, HEIGHT]) - 2 * MARGIN
    scaled = MARGIN + (places - low) / np.where(span > 0, span, 1.0) * inner
    return [(round(x, 1), round(y, 1)) for x, y in scaled.tolist()]
