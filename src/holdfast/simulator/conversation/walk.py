"""The conversation's own two nodes along its own edges, without LangGraph: for wide batches to which nobody listens.

::

    START ─► user ─► assistant ─► user ─► … ─► END

What a node answers decides, as in :mod:`holdfast.simulator.conversation.graph`, so there is one description of a turn. LangGraph
costs about .45 ms of CPU a turn, which buys callbacks, streaming and checkpoints, and none of them is wanted here.
"""

from __future__ import annotations

import asyncio
from collections import deque

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

from holdfast.simulator.conversation.participants import Participants, ConversationState
from holdfast.simulator.conversation.graph import EDGES, NODES


def unheard(settings: RunnableConfig) -> bool:
    """Whether nobody would hear of a run with ``settings``, as LangChain itself decides it.

    Its manager gathers all who may listen: callbacks that were given, LangSmith by its variables, hooks registered for
    every run, instrumentation. Inside another LangChain run the answer is no: it may be streamed.
    """
    if var_child_runnable_config.get() is not None:
        return False
    return not get_async_callback_manager_for_config(ensure_config(settings)).handlers


class Turnstile:
    """Lets ``most`` conversations through at each turn of the event loop, in the order in which they came.

    So the first send their next request while the others are still at work: bursts thin out, where else all would wait
    for all at each turn. And a model that answers at once keeps no signal waiting.
    """

    def __init__(self, most: int = 8) -> None:
        self._most = self._left = most
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._opening: asyncio.Handle | None = None

    async def through(self) -> None:
        """At once where fewer than ``most`` came before at this turn of the event loop."""
        loop = asyncio.get_running_loop()
        if self._opening is None:
            self._opening = loop.call_soon(self._open)
        if self._left:
            self._left -= 1
            return
        self._waiting.append(loop.create_future())
        await self._waiting[-1]

    def _open(self) -> None:
        self._left, self._opening = self._most, None
        while self._waiting and self._left:
            gate = self._waiting.popleft()
            if not gate.done():  # its conversation may have been given up
                gate.set_result(None)
                self._left -= 1
        if self._left < self._most:
            self._opening = asyncio.get_running_loop().call_soon(self._open)


async def walk(cast: Participants, state: ConversationState, steps: int, turnstile: Turnstile) -> ConversationState:
    """From ``state`` to the end: the whole state there. What a node raises, cancellation too, comes out as it is.

    :raises GraphRecursionError: as the graph does, where no end comes within so many ``steps``.
    """
    runtime, place = Runtime(context=cast), EDGES[START]
    for _ in range(steps):
        if place == "user":
            await turnstile.through()
        made = await NODES[place](state, runtime)
        changed, place = (made.update or {}, str(made.goto)) if isinstance(made, Command) else (made, EDGES[place])
        state = {**state, **changed}
        if place == END:
            return state
    raise GraphRecursionError(f"no end within {steps} steps")
