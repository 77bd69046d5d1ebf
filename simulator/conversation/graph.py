"""One turn on one screen: the user speaks, the candidate replies, a rater scores, the user feels and decides.

The graph saves, plots and scores nothing itself: each finished turn leaves as a
:class:`~simulator.records.TurnRecord` through the cast's ``on_turn``. It has no checkpointer, because a checkpoint per
step is quadratic in turns; the engine's journal keeps the turns, and :func:`~simulator.conversation.cast.reopening`
rebuilds the state from them.

>>> await graph.ainvoke(opening(cast), config(cast.spec.max_turns), context=cast)  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command

from agents.protocols import AssistantView, Exchange, Message
from agents.users.state import state_to_json
from simulator.conversation.cast import Cast, ConversationState
from simulator.conversation.stop import Moment
from simulator.records import TurnRecord


async def speak(state: ConversationState, runtime: Runtime[Cast]) -> ConversationState:
    """The user's message."""
    cast = runtime.context
    spoken = await cast.user.speak(state["user"], state["messages"], cast.user_seed(state["turn"] + 1, "speak"))
    messages = (*state["messages"], Message("user", spoken.text))
    return {"spoken": spoken, "user": spoken.state, "messages": messages}


async def reply(state: ConversationState, runtime: Runtime[Cast]) -> ConversationState:
    """The candidate's answer; it sees the messages, and the task only where it is told it."""
    cast, turn = runtime.context, state["turn"] + 1
    task = cast.task if cast.candidate.told_task else None
    view = AssistantView(cast.spec.id, turn, state["messages"], cast.candidate_seed(turn), task)
    answer = await cast.candidate.reply(view)
    return {"reply": answer, "messages": (*state["messages"], Message("assistant", answer.text))}


async def rate(state: ConversationState, runtime: Runtime[Cast]) -> ConversationState:
    """What empathy the reply expressed."""
    (expressed,) = await runtime.context.rater.rate([Exchange(state["spoken"].text, state["reply"].text)])
    return {"expressed": expressed}


async def feel(state: ConversationState, runtime: Runtime[Cast]) -> Command[Literal["speak", "__end__"]]:
    """What the user felt; the turn is finished and leaves, and the conversation goes on or ends.

    The way on is a ``Command``, not an edge's function: LangGraph then runs a quarter faster per turn.
    """
    cast, turn, spoken = runtime.context, state["turn"] + 1, state["spoken"]
    answer, expressed, seed = state["reply"], state["expressed"], cast.user_seed(turn, "feel")
    felt = await cast.user.feel(state["user"], spoken.said, answer.text, expressed, seed)
    stop = cast.stop.reason(Moment(turn, felt, state["messages"]))
    await cast.on_turn(
        TurnRecord(
            episode_id=cast.spec.id,
            turn=turn,
            user=spoken.text,
            said=spoken.said,
            reply=answer.text,
            expressed=expressed,
            felt=felt.dimensions,
            emotion=felt.state.emotion,
            state=state_to_json(felt.state),
            adapter=answer.adapter,
            recognised_task=answer.recognised_task,
            stop=stop,
            tokens=(answer.prompt_tokens, answer.completion_tokens),
        )
    )
    update: ConversationState = {"turn": turn, "user": felt.state, "stop": stop}
    return Command(update=update, goto="__end__" if stop is not None or cast.halted() else "speak")


def build_graph() -> StateGraph[ConversationState, Cast, ConversationState, ConversationState]:
    """The conversation, not yet compiled, so that one may add nodes to it or set it inside a larger graph."""
    builder = StateGraph(ConversationState, context_schema=Cast)
    for node in (speak, reply, rate, feel):
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "speak")
    builder.add_edge("speak", "reply")
    builder.add_edge("reply", "rate")
    builder.add_edge("rate", "feel")
    return builder


def config(turns: int) -> RunnableConfig:
    """Room for ``turns`` turns of four nodes each (LangGraph would stop any run at its own limit otherwise)."""
    return {"recursion_limit": 4 * turns + 4}


graph: Any = build_graph().compile(name="conversation")
