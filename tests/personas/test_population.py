from collections import Counter

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import InputError
from holdfast.personas.loading import library
from holdfast.personas.population import after_round, build_population
from holdfast.personas.population_config import (
    ListedTies,
    PopulationConfig,
    RandomTies,
    Ring,
    ScaleFree,
    SmallWorld,
    Spread,
    check_population,
)
from holdfast.personas.schema import DESIRED_ON_PERCEIVED_SCALE
from tests.personas.reading import load_text

GRAPHS = st.one_of(
    st.sampled_from(["none", "ring", "small_world", "scale_free", "random"]),
    st.builds(Ring, neighbours=st.sampled_from([2, 4])),
    st.builds(SmallWorld, neighbours=st.sampled_from([2, 4]), rewired=st.floats(0, 1)),
    st.builds(ScaleFree, ties=st.integers(1, 4)),
    st.builds(RandomTies, share=st.floats(0, 1)),
)


def three(spread, edges=(("amara_okafor", "jun_park"), ("jun_park", "aylin_demir"))):
    """Amara (desires 5) - Jun (5) - Aylin (1), in a line."""
    names = ("amara_okafor", "jun_park", "aylin_demir")
    return build_population(PopulationConfig(personas=names, graph=ListedTies(edges=edges), spread=spread), seed=1)


def desired(population):
    return {name: agent.desired for name, agent in population.agents.items()}


# --- after a round, by hand ----------------------------------------------------------------------------------------


def test_desired_on_the_perceived_scale():
    assert [DESIRED_ON_PERCEIVED_SCALE[level] for level in (1, 2, 3)] == [1, 3, 5]
    assert desired(three(Spread())) == {"amara_okafor": 5, "jun_park": 5, "aylin_demir": 1}


def test_own_experience_moves_by_its_share_of_the_disconfirmation():
    after = after_round(three(Spread(own=0.25)), {"amara_okafor": 3.0, "aylin_demir": 2.0})
    # Amara: 5 + .25 (3 - 5) = 4.5; Jun felt nothing that is known; Aylin: 1 + .25 (2 - 1) = 1.25
    assert desired(after) == {"amara_okafor": 4.5, "jun_park": 5, "aylin_demir": 1.25}


def test_ties_average_everybody_at_once():
    after = after_round(three(Spread(neighbours=0.5)), {"amara_okafor": 1.0})
    # Amara: (5 + Jun 5) / 2 = 5; Jun: (5 + mean(5, 1)) / 2 = 4; Aylin: (1 + Jun 5) / 2 = 3 (Jun's old value, not 4)
    assert desired(after) == {"amara_okafor": 5, "jun_park": 4, "aylin_demir": 3}


def test_own_experience_comes_before_the_ties():
    after = after_round(three(Spread(own=0.5, neighbours=0.5)), {"amara_okafor": 1.0, "jun_park": 3.0})
    # own: Amara 3, Jun 4, Aylin 1; then Amara (3 + 4)/2 = 3.5, Jun (4 + 2)/2 = 3, Aylin (1 + 4)/2 = 2.5
    assert desired(after) == {"amara_okafor": 3.5, "jun_park": 3, "aylin_demir": 2.5}


def test_a_failed_conversation_teaches_nothing():
    population = three(Spread(own=1.0))
    assert desired(after_round(population, {"jun_park": float("nan")})) == desired(population)


def test_full_shares_replace_the_expectation():
    after = after_round(three(Spread(own=1.0)), dict.fromkeys(("amara_okafor", "jun_park", "aylin_demir"), 2.5))
    assert set(desired(after).values()) == {2.5}


def test_after_round_changes_nothing_in_place():
    population = three(Spread(own=1.0, neighbours=1.0))
    before = desired(population)
    after_round(population, {"jun_park": 1.0})
    assert desired(population) == before
    with pytest.raises(nx.NetworkXError):
        population.ties.add_edge("amara_okafor", "aylin_demir")


def test_after_round_refuses_what_cannot_be():
    with pytest.raises(ValueError, match="no agent 'bob' in the population"):
        after_round(three(Spread()), {"bob": 3.0})
    with pytest.raises(ValueError, match="felt empathy of 'jun_park': expected 1 to 5, got 6"):
        after_round(three(Spread()), {"jun_park": 6.0})


# --- properties ----------------------------------------------------------------------------------------------------

SHARES = st.floats(0, 1)
SPREADS = st.builds(Spread, own=SHARES, neighbours=SHARES)


@settings(max_examples=150, deadline=None)
@given(graph=GRAPHS, size=st.integers(6, 30), seed=st.integers(0, 2**63), spread=SPREADS, data=st.data())
def test_expectations_stay_within_the_scale(graph, size, seed, spread, data):
    population = build_population(PopulationConfig(size=size, graph=graph, spread=spread), seed)
    for _ in range(3):
        felt = {name: data.draw(st.floats(1, 5)) for name in list(population.agents)[:4]}
        low = min([*desired(population).values(), *felt.values()])
        high = max([*desired(population).values(), *felt.values()])
        population = after_round(population, felt)
        assert all(1 <= value <= 5 for value in desired(population).values())
        assert all(low - 1e-9 <= value <= high + 1e-9 for value in desired(population).values())


@settings(max_examples=60, deadline=None)
@given(graph=GRAPHS, size=st.integers(6, 40), balance=st.booleans(), seed=st.integers(0, 2**63))
def test_the_seed_decides_everything(graph, size, balance, seed):
    config = PopulationConfig(size=size, graph=graph, balance=balance)
    one, two = build_population(config, seed), build_population(config, seed)
    assert one.as_json() == two.as_json()
    assert len(one.agents) == size
    assert set(one.ties) == set(one.agents)


@settings(max_examples=40, deadline=None)
@given(graph=GRAPHS, seed=st.integers(0, 2**63), felt=st.floats(1, 5))
def test_off_leaves_everything_as_it_was(graph, seed, felt):
    population = build_population(PopulationConfig(graph=graph), seed)
    assert after_round(population, dict.fromkeys(population.agents, felt)) == population


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**63), share=SHARES, felt=st.floats(1, 5))
def test_who_has_no_ties_hears_from_nobody(seed, share, felt):
    population = build_population(PopulationConfig(graph=RandomTies(share=0.05), spread=Spread(neighbours=share)), seed)
    after = after_round(population, dict.fromkeys(population.agents, felt))
    alone = list(nx.isolates(population.ties))
    assert all(after.agents[name] == population.agents[name] for name in alone)


def test_other_seeds_give_other_populations():
    views = [build_population(PopulationConfig(graph="small_world"), seed).as_json()["edges"] for seed in range(5)]
    assert len({str(edges) for edges in views}) == 5


# --- who exists, who knows whom ------------------------------------------------------------------------------------


def test_by_default_everybody_of_the_library_is_there_once():
    population = build_population(PopulationConfig(), seed=3)
    assert set(population.agents) == set(library())
    assert population.ties.number_of_edges() == 0


@pytest.mark.parametrize("size", [8, 12, 24, 61])
def test_balanced_over_tasks_and_over_their_personas(size):
    agents = build_population(PopulationConfig(size=size), seed=5).agents.values()
    tasks = Counter(agent.persona.task for agent in agents)
    assert len(tasks) == 8
    assert max(tasks.values()) - min(tasks.values()) <= 1
    for task in tasks:
        drawn = Counter({name: 0 for name, persona in library().items() if persona.task == task})
        drawn.update(agent.persona.id for agent in agents if agent.persona.task == task)
        assert max(drawn.values()) - min(drawn.values()) <= 1


def test_unbalanced_is_drawn_with_replacement():
    agents = build_population(PopulationConfig(size=200, balance=False), seed=5).agents.values()
    assert len({Counter(agent.persona.task for agent in agents)[task] for task in ("burnout", "bug_hunt")}) == 2


def test_further_agents_of_a_persona_are_numbered():
    population = build_population(PopulationConfig(size=3, personas=("jun_park",)), seed=0)
    assert list(population.agents) == ["jun_park", "jun_park-2", "jun_park-3"]


def test_the_graphs_are_what_they_are_called():
    def ties(graph, size=24):
        return build_population(PopulationConfig(size=size, graph=graph), seed=2).ties

    assert {degree for _, degree in ties("ring").degree} == {2}
    assert nx.is_connected(ties("ring"))
    assert ties(SmallWorld(neighbours=4, rewired=0.3)).number_of_edges() == 48
    assert ties(ScaleFree(ties=2)).number_of_edges() == 2 * 22
    assert ties(RandomTies(share=1.0)).number_of_edges() == 24 * 23 // 2
    assert ties(RandomTies(share=0.0)).number_of_edges() == 0


def test_neighbours_on_a_ring_do_not_all_share_a_task():
    population = build_population(PopulationConfig(graph="ring"), seed=1)
    same = [population.agents[a].persona.task == population.agents[b].persona.task for a, b in population.ties.edges]
    assert sum(same) < len(same) / 2


def test_the_view_for_the_report():
    view = three(Spread()).as_json({"jun_park": 4.0, "aylin_demir": float("nan")})
    assert {"id": "jun_park", "persona": "jun_park", "task": "team_conflict", "desired": 5.0, "felt": 4.0} in view[
        "nodes"
    ]
    assert [node["felt"] for node in view["nodes"] if node["id"] != "jun_park"] == [None, None]
    assert sorted(map(sorted, view["edges"])) == [["amara_okafor", "jun_park"], ["aylin_demir", "jun_park"]]


# --- what is wrong -------------------------------------------------------------------------------------------------


def test_a_population_of_yaml():
    text = "size: 12\ngraph: {kind: small_world, rewired: 0.2}\nspread: {own: 0.2}\n"
    config = load_text(text, PopulationConfig)
    assert config.generator() == SmallWorld(neighbours=4, rewired=0.2)
    assert load_text("graph: ring", PopulationConfig).generator() == Ring(neighbours=2)
    edges = load_text("graph: {kind: edges, edges: [[jun_park, amara_okafor-2]]}", PopulationConfig)
    assert edges.generator() == ListedTies(edges=(("jun_park", "amara_okafor-2"),))


@pytest.mark.parametrize(
    ("config", "path", "message"),
    [
        (
            PopulationConfig(personas=("jun_prak",)),
            ("personas", 0),
            "no persona 'jun_prak'; did you mean 'jun_park'?",
        ),
        (
            PopulationConfig(personas=("jun_park", "jun_park")),
            ("personas", 1),
            "persona 'jun_park' is listed twice; raise 'size' for more agents",
        ),
        (
            PopulationConfig(size=4, graph="small_world"),
            ("graph", "neighbours"),
            "graph.neighbours: expected less than the 4 agents, got 4",
        ),
        (
            PopulationConfig(size=2, graph="scale_free"),
            ("graph", "ties"),
            "graph.ties: expected less than the 2 agents, got 2",
        ),
    ],
)
def test_faults_of_a_configuration(config, path, message):
    assert check_population(config, library()) == [(path, message)]
    with pytest.raises(InputError) as caught:
        build_population(config, seed=0)
    assert str(caught.value) == f"population: {message}"


def test_edges_between_agents_that_do_not_exist():
    with pytest.raises(InputError, match="no agent 'jun_prak' for an edge; did you mean 'jun_park'"):
        three(Spread(), edges=(("jun_prak", "amara_okafor"),))
    with pytest.raises(InputError, match="edge from 'jun_park' to itself; remove it"):
        three(Spread(), edges=(("jun_park", "jun_park"),))
