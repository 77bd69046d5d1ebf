"""The conversation's own two nodes along its own edges, without LangGraph: for wide batches to which nobody listens.

::

    START ─► user ─► assistant ─► user ─► … ─► END

What a node answers decides, as in :mod:`simulator.conversation.graph`, so there is one description of a turn. LangGraph
costs about .45 ms of CPU a turn, which buys callbacks, streaming and checkpoints, and none of them is wanted here.
"""

from __future__ import annotations

import asyncio

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import (
    ensure_config,
    get_async_callback_manager_for_config,
    var_child_runnable_config,
)
from langgraph.errors import GraphRecursionError
from langgraph.graph import END, START
from langgraph.runtime import Runtime
from langgraph.types import Command

from simulator.conversation.cast import Cast, ConversationState
from simulator.conversation.graph import EDGES, NODES

_BREATH = 8  # steps between two moments for others: a model that answers at once must not keep signals waiting


def unheard(settings: RunnableConfig) -> bool:
    """Whether nobody would hear of a run with ``settings``, as LangChain itself decides it.

    Its manager gathers all who may listen: callbacks that were given, LangSmith by its variables, hooks registered for
    every run, instrumentation. Inside another LangChain run the answer is no: it may be streamed.
    """
    if var_child_runnable_config.get() is not None:
        return False
    return not get_async_callback_manager_for_config(ensure_config(settings)).handlers


async def walk(cast: Cast, state: ConversationState, steps: int) -> ConversationState:
    """From ``state`` to the end: the whole state there. What a node raises, cancellation too, comes out as it is.

    :raises GraphRecursionError: as the graph does, where no end comes within so many ``steps``.
    """
    runtime, place = Runtime(context=cast), EDGES[START]
    for step in range(steps):
        if step % _BREATH == 0:
            await asyncio.sleep(0)
        made = await NODES[place](state, runtime)
        changed, place = (made.update or {}, str(made.goto)) if isinstance(made, Command) else (made, EDGES[place])
        state = {**state, **changed}
        if place == END:
            return state
    raise GraphRecursionError(f"no end within {steps} steps")
