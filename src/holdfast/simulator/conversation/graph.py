"""The conversation as a graph of its two parties: the user speaks, the assistant replies, the user feels and decides.

::

    START ─► user ─► assistant ─► user ─► … ─► END

Two nodes a turn, because LangGraph's cost is per step: rating, feeling and speaking need no step of their own. The
graph saves and plots nothing itself: each finished turn leaves as a
:class:`~holdfast.simulator.records.TurnRecord` through the participants' ``on_turn``. It has no checkpointer, because a
checkpoint per step is quadratic in turns; the engine's journal keeps the turns, and
:func:`~holdfast.simulator.conversation.participants.reopening` rebuilds the state from them.

>>> await graph.ainvoke(opening(people), config(people.spec.max_turns), context=people)  # doctest: +SKIP
"""

from typing import Any, Literal

from langchain_core.callbacks import Callbacks
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from holdfast.agents.protocols import AssistantView, Message
from holdfast.agents.raters.protocol import guide
from holdfast.agents.turn import as_heard, close_turn, open_turn, rate_reply
from holdfast.agents.users.state import state_to_json
from holdfast.simulator.conversation.participants import ConversationState, Participants
from holdfast.simulator.conversation.stop import TurnEnd
from holdfast.simulator.records import TurnRecord


async def user(
    state: ConversationState, runtime: Runtime[Participants]
) -> ConversationState | Command[Literal["assistant", "__end__"]]:
    """What the user makes of the reply, which finishes a turn; then the next message, or the end.

    The way on is a ``Command``, not an edge's function: LangGraph then runs a quarter faster per turn.
    """
    people, finished = runtime.context, state
    if state.get("reply") is not None:
        record, finished = await _finish(people, state)
        await people.on_turn(record)
        if record.stop is not None or people.halted():
            return Command(update=finished, goto="__end__")
    number = finished["turn"] + 1
    opened = await open_turn(people.user, finished["user"], state["messages"], people.user_seed(number, "speak"))
    return Command(update={**finished, "opened": opened, "messages": opened.messages}, goto="assistant")


async def assistant(state: ConversationState, runtime: Runtime[Participants]) -> ConversationState:
    """The candidate's answer; it sees the messages, and the task only where it is told it."""
    people, turn = runtime.context, state["turn"] + 1
    task = people.task if people.candidate.knows_task else None
    view = AssistantView(people.spec.id, turn, state["messages"], people.candidate_seed(turn), task)
    answer = as_heard(await people.candidate.reply(view))
    return {"reply": answer, "messages": (*state["messages"], Message("assistant", answer.text))}


async def _finish(people: Participants, state: ConversationState) -> tuple[TurnRecord, ConversationState]:
    """Rate the reply, let the user feel it, and say whether the conversation ends here."""
    number, opened, answer = state["turn"] + 1, state["opened"], state["reply"]
    assert opened is not None
    assert answer is not None
    ratings = await rate_reply(people.raters, opened.messages, answer.text, answer.cause)
    seed, by = people.user_seed(number, "feel"), guide(people.raters)
    turn = await close_turn(people.user, opened, answer.text, ratings, seed, by)
    felt = turn.felt
    record = TurnRecord(
        episode_id=people.spec.id,
        turn=number,
        user=opened.spoken.text,
        said=opened.spoken.said,
        reply=answer.text,
        ratings=ratings,
        felt=felt.dimensions,
        emotion=felt.state.emotion,
        state=state_to_json(felt.state),
        goals_served=turn.goals_served,
        adapter=answer.adapter,
        recognised_task=answer.recognised_task,
        stop=people.stop.reason(TurnEnd(number, felt, state["messages"])),
        tokens=(answer.prompt_tokens, answer.completion_tokens),
        thoughts=answer.thoughts,
        outcome=answer.outcome,
        calls=answer.calls,
        kept=answer.kept,
    )
    return record, {"turn": number, "user": felt.state, "stop": record.stop, "reply": None, "opened": None}


def build_graph() -> StateGraph[ConversationState, Participants, ConversationState, ConversationState]:
    """The conversation, not yet compiled, so that one may add nodes to it or set it inside a larger graph."""
    builder = StateGraph(ConversationState, context_schema=Participants)
    builder.add_node("user", user)
    builder.add_node("assistant", assistant)
    builder.add_edge(START, "user")
    builder.add_edge("assistant", "user")  # the user node names its own way on
    return builder


def config(turns: int, callbacks: Callbacks = None, name: str | None = None) -> RunnableConfig:
    """Room for ``turns`` turns (LangGraph would stop any run at its own limit otherwise).

    ``callbacks``: LangChain handlers, which hear of every node and model call; ``name``: what they call the whole.
    """
    made: RunnableConfig = {"recursion_limit": 2 * turns + 4}
    if callbacks is not None:
        made["callbacks"] = callbacks
    if name is not None:
        made["run_name"] = name
    return made


graph: Any = build_graph().compile(name="conversation")
