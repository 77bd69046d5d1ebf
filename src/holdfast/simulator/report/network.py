"""The population as a picture: who knows whom, coloured by what each felt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.simulator.report.values import fixed, number

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
    """What is drawn, or in ``note`` the plain reason why nothing is."""

    nodes: tuple[NetworkNode, ...] = ()
    edges: tuple[tuple[float, float, float, float], ...] = ()
    note: str = ""


def network(
    population: Mapping[str, Any] | None, tasks: Mapping[str, Any], names: Mapping[str, str], seed: int
) -> Network | None:
    """Lay the graph out by Fruchterman and Reingold's forces (1991), seeded; None where there is no population.

    ``names``: persona id -> name. An edge to somebody who is not a node is dropped.
    """
    people = (population or {}).get("nodes") or []
    if not people:
        return None
    if len(people) > LARGEST:
        return Network(note=f"The population has {len(people):,} people, too many to draw legibly; see results.json.")
    import networkx as nx

    graph: Any = nx.Graph()
    graph.add_nodes_from(str(p["id"]) for p in people)
    ties = [(str(a), str(b)) for a, b in (population or {}).get("edges") or () if str(a) in graph and str(b) in graph]
    graph.add_edges_from(ties)
    places = nx.spring_layout(graph, seed=seed % 2**32, iterations=80, k=2.2 / max(1, len(people)) ** 0.5)
    place = _scaler([(float(x), float(y)) for x, y in places.values()])
    at = {name: place(float(x), float(y)) for name, (x, y) in places.items()}
    small = min(1.0, (60 / len(people)) ** 0.5)
    nodes = []
    for p in people:
        x, y = at[str(p["id"])]
        felt = number(p.get("felt"))
        shade = None if felt is None else min(SHADES - 1, max(0, int((felt - 1) / 4 * SHADES)))
        task = str((tasks.get(p.get("task")) or {}).get("title", p.get("task", "")))
        who = names.get(str(p.get("persona")), str(p.get("persona", p["id"])))
        radius = round((7 + 1.6 * min(8, graph.degree(str(p["id"])))) * small, 1)
        nodes.append(NetworkNode(x, y, radius, shade, f"{who} · {task} · felt {fixed(felt, 1)}"))
    return Network(tuple(nodes), tuple((*at[a], *at[b]) for a, b in graph.edges()))


def _scaler(points: list[tuple[float, float]]) -> Any:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    wide, high = max(xs) - min(xs) or 1.0, max(ys) - min(ys) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        left = MARGIN + (x - min(xs)) / wide * (WIDTH - 2 * MARGIN)
        top = MARGIN + (y - min(ys)) / high * (HEIGHT - 2 * MARGIN)
        return round(left, 1), round(top, 1)

    return place
