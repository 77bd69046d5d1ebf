from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from langgraph.graph import END, START, StateGraph

from holdfast.agents.assistants.candidates import SingleModel
from holdfast.agents.message_content import read_content
from holdfast.agents.models.generations import generation_of
from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.core.errors import ModelError
from holdfast.simulator.conversation.graph import build_graph, config, graph
from holdfast.simulator.conversation.participants import ConversationState, Participants, opening, reopening
from holdfast.simulator.conversation.stop import MaxTurns
from holdfast.simulator.records import EpisodeSpec, TurnRecord
from tests.simulator.scripted import TASKS, HashModel, HashRater, ScriptedUser, persona


def participants(turns: list[TurnRecord], max_turns: int = 5, model: HashModel | None = None) -> Participants:
    async def keep(record: TurnRecord) -> None:
        turns.append(record)

    spec = EpisodeSpec("amira", "bug_hunt", "base", 1, max_turns)
    people = ScriptedUser(persona()), SingleModel(model or HashModel()), {"hash": HashRater()}
    return Participants(spec, TASKS["bug_hunt"], *people, MaxTurns(max_turns), keep, study_seed=3)


def hold(participants: Participants, state: ConversationState | None = None) -> ConversationState:
    start = opening(participants) if state is None else state
    return asyncio.run(graph.ainvoke(start, config(participants.spec.max_turns), context=participants))


def test_each_finished_turn_leaves_in_order() -> None:
    turns: list[TurnRecord] = []
    end = hold(participants(turns))
    assert [turn.turn for turn in turns] == [1, 2, 3, 4, 5]
    assert [turn.stop for turn in turns] == [None, None, None, None, "max turns"]
    said = [text for turn in turns for text in (turn.user, turn.reply)]
    assert [message.content for message in end["messages"]] == said


@pytest.mark.parametrize("kept", range(6))
def test_going_on_from_any_turn_equals_never_stopping(kept: int) -> None:
    whole: list[TurnRecord] = []
    hold(participants(whole))
    rest: list[TurnRecord] = []
    people = participants(rest)
    if kept < 5:
        hold(people, reopening(people, whole[:kept]))
    else:
        assert reopening(people, whole)["stop"] == "max turns"
    assert rest == whole[kept:]


def test_a_halted_conversation_finishes_its_turn_and_has_no_reason() -> None:
    turns: list[TurnRecord] = []
    end = hold(replace(participants(turns), halted=lambda: len(turns) == 2))
    assert [turn.stop for turn in turns] == [None, None]
    assert end["stop"] is None


def test_the_limit_of_steps_follows_from_the_turns() -> None:
    turns: list[TurnRecord] = []
    hold(participants(turns, max_turns=300))
    assert len(turns) == 300


def test_an_expectation_that_a_population_moved_holds_from_the_start() -> None:
    turns: list[TurnRecord] = []
    hold(replace(participants(turns), desired=4.25))
    assert {turn.state["desired"] for turn in turns} == {4.25}


def test_a_failing_model_fails_the_conversation_after_the_turns_it_had() -> None:
    class Tired(HashModel):
        async def generate(self, request):  # type: ignore[no-untyped-def]
            if len(self.requests) == 2:
                raise ModelError("no more")
            return await super().generate(request)

    turns: list[TurnRecord] = []
    with pytest.raises(ModelError, match="no more"):
        hold(participants(turns, model=Tired()))
    assert [turn.turn for turn in turns] == [1, 2]


def test_it_fits_into_a_graph_of_ones_own() -> None:
    turns: list[TurnRecord] = []
    people = participants(turns)
    outer = StateGraph(ConversationState, context_schema=Participants)
    outer.add_node("conversation", build_graph().compile())
    outer.add_edge(START, "conversation")
    outer.add_edge("conversation", END)
    asyncio.run(outer.compile().ainvoke(opening(people), config(5), context=people))
    assert len(turns) == 5


def test_it_draws_itself() -> None:
    drawn = graph.get_graph()
    edges = {(edge.source, edge.target) for edge in drawn.edges}
    assert edges == {("__start__", "user"), ("user", "assistant"), ("assistant", "user"), ("user", "__end__")}


class Thinker(HashModel):
    """Thinks before each reply, and at every second turn says nothing after that."""

    async def generate(self, request: GenerationRequest) -> Generation:
        made = await super().generate(request)
        silent = len(self.requests) % 2 == 0
        text = f"<think>SECRET {len(self.requests)}</think>{'' if silent else made.text}"
        return generation_of(read_content(text), "length" if silent else "stop", 8, 8)


def test_thoughts_are_kept_and_neither_heard_nor_rated_nor_sent_back() -> None:
    turns: list[TurnRecord] = []
    model = Thinker()
    people = participants(turns, max_turns=6, model=model)
    end = hold(people)
    assert [turn.thoughts for turn in turns] == [f"SECRET {number}" for number in range(1, 7)]
    assert [turn.outcome for turn in turns] == ["answered", "thoughts only"] * 3
    assert [turn.primary.disqualified for turn in turns] == [None, "empty"] * 3
    assert turns[1].primary.evidence == "no answer: thoughts only, cut off at max_tokens"
    assert turns[1].reply == ""
    assert "SECRET" not in str(end["messages"]) + str([turn.state for turn in turns]) + str(model.requests)
    last = model.requests[-1].messages
    assert [message.content for message in last if message.role == "assistant"] == [turn.reply for turn in turns[:-1]]
    rest: list[TurnRecord] = []
    again = participants(rest, max_turns=6, model=Thinker(requests=model.requests[:3]))
    hold(again, reopening(again, turns[:3]))
    assert rest == turns[3:]
