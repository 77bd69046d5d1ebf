"""The ``population`` section of a study's YAML. Does not import networkx.

::

    population:
      size: 24            # left out: one agent per persona
      personas: [jun_park, …]      # default: the library
      balance: true                # as many agents for each task as for any other
      graph: {kind: small_world, neighbours: 4, rewired: 0.1}   # or just a word: `graph: ring`
      spread: {own: 0.2, neighbours: 0.1}                       # default: nothing spreads
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from holdfast.core.wording import did_you_mean, quote
from holdfast.core.yaml_source import DataPath
from holdfast.personas.schema import Frozen, Id, Persona, Share

AgentId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(-[0-9]+)?$", max_length=70)]
Several = Annotated[int, Field(ge=1, le=1000)]


class NoTies(Frozen):
    """A graph without edges."""

    kind: Literal["none"] = "none"


class Ring(Frozen):
    """A ring on which each agent is tied to its ``neighbours`` nearest (an even number)."""

    kind: Literal["ring"] = "ring"
    neighbours: Annotated[int, Field(ge=2, le=1000, multiple_of=2)] = 2


class SmallWorld(Frozen):
    """A ring with a share of its ties rewired at random (Watts and Strogatz 1998)."""

    kind: Literal["small_world"] = "small_world"
    neighbours: Annotated[int, Field(ge=2, le=1000, multiple_of=2)] = 4
    rewired: Share = 0.1


class ScaleFree(Frozen):
    """Preferential attachment: each new agent makes ``ties`` ties (Barabási and Albert 1999)."""

    kind: Literal["scale_free"] = "scale_free"
    ties: Several = 2


class RandomTies(Frozen):
    """A random graph: each pair is tied with probability ``share`` (Gilbert 1959)."""

    kind: Literal["random"] = "random"
    share: Share = 0.1


class ListedTies(Frozen):
    """Exactly these ties, between agent ids: a persona's id, and ``id-2``, ``id-3``, … for its further agents."""

    kind: Literal["edges"] = "edges"
    edges: tuple[tuple[AgentId, AgentId], ...] = ()


Word = Literal["none", "ring", "small_world", "scale_free", "random"]
Graph = NoTies | Ring | SmallWorld | ScaleFree | RandomTies | ListedTies

_PLAIN: tuple[Graph, ...] = (NoTies(), Ring(), SmallWorld(), ScaleFree(), RandomTies())
_BY_WORD: Mapping[str, Graph] = {graph.kind: graph for graph in _PLAIN}


class Spread(Frozen):
    """How far expectations move after a round (see ``holdfast.personas.population.after_round``); 0 is not at all."""

    own: Share = 0.0
    neighbours: Share = 0.0


class PopulationConfig(Frozen):
    """The agents of a study and the graph of their ties."""

    size: Annotated[int, Field(ge=1, le=100_000)] | None = None
    personas: tuple[Id, ...] = ()
    balance: bool = True
    graph: Word | Annotated[Graph, Field(discriminator="kind")] = "none"
    spread: Spread = Spread()

    def generator(self) -> Graph:
        """Return the graph's parameters; a word stands for its generator with the defaults."""
        return _BY_WORD[self.graph] if isinstance(self.graph, str) else self.graph


def check_population(config: PopulationConfig, personas: Mapping[str, Persona]) -> list[tuple[DataPath, str]]:
    """Return what is wrong with a configuration, as paths within it and messages.

    Checked are unknown ids and graphs too dense for their size. ``personas`` are those that may be named. Edges are
    checked when the population is built, because only then the agents are known.
    """
    wrong: list[tuple[DataPath, str]] = []
    for index, name in enumerate(config.personas):
        if name not in personas:
            wrong.append((("personas", index), f"no persona {quote(name)}{did_you_mean(name, personas)}"))
        elif name in config.personas[:index]:
            wrong.append((("personas", index), f"persona {quote(name)} is listed twice; raise 'size' for more agents"))
    size, graph = config.size or len(config.personas or personas), config.generator()
    if isinstance(graph, Ring | SmallWorld) and graph.neighbours >= size:
        message = f"graph.neighbours: expected less than the {size} agents, got {graph.neighbours}"
        wrong.append((("graph", "neighbours"), message))
    if isinstance(graph, ScaleFree) and graph.ties >= size:
        wrong.append((("graph", "ties"), f"graph.ties: expected less than the {size} agents, got {graph.ties}"))
    return wrong
