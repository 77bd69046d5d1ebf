"""What others' simulators cost on the same errand: two parties that answer at once, so many conversations and turns.

They are no dependencies of holdfast: a package that is not installed is left out of the table. ``make bench`` installs
openevals; sdialog's present releases do not go with the pinned versions (to see it: ``pip install holdfast sdialog`` in
an environment of its own, without constraints).
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import time
from collections.abc import Callable

from tests.bench.measure import Measure
from tests.bench.people import REPLIES, Instant, hold, plan, session

CONVERSATIONS, TURNS = 32, 24


def openevals_ms() -> float:
    """CPU milliseconds a turn of openevals' multi-turn simulation, which rates and keeps nothing here."""
    from openevals.simulators import run_multiturn_simulation_async

    async def app(message: object, *, thread_id: str) -> dict[str, str]:
        return {"role": "assistant", "content": REPLIES[0]}

    async def user(trajectory: object, *, thread_id: str, turn_counter: int) -> dict[str, str]:
        return {"role": "user", "content": REPLIES[turn_counter % len(REPLIES)]}

    async def all_of_them() -> None:
        talks = (run_multiturn_simulation_async(app=app, user=user, max_turns=TURNS) for _ in range(CONVERSATIONS))
        await asyncio.gather(*talks)

    began = time.process_time()
    asyncio.run(all_of_them())
    return 1000 * (time.process_time() - began) / (CONVERSATIONS * TURNS)


def sdialog_ms() -> float:
    """CPU milliseconds a turn of two sdialog agents over a LangChain model that answers at once."""
    from langchain_core.language_models.fake_chat_models import FakeListChatModel
    from sdialog.agents import Agent

    logging.getLogger("sdialog.util").setLevel(logging.ERROR)  # a fake model takes no seed, it says at every turn
    began = time.process_time()
    for _ in range(CONVERSATIONS):
        user, assistant = (
            Agent(name=name, model=FakeListChatModel(responses=list(REPLIES))) for name in ("user", "assistant")
        )
        user.dialog_with(assistant, max_turns=2 * TURNS, keep_bar=False)
    return 1000 * (time.process_time() - began) / (CONVERSATIONS * TURNS)


OTHERS: dict[str, Callable[[], float]] = {"openevals": openevals_ms, "sdialog": sdialog_ms}


def measures(*_: object) -> list[Measure]:
    """The engine, with its journal, beside each that is installed."""
    people = session(plan(CONVERSATIONS, TURNS), Instant(), scripted=True)
    hold(session(plan(4, 4), Instant(), scripted=True))
    rows = []
    for name, others in OTHERS.items():
        if importlib.util.find_spec(name) is not None:
            ours = min(hold(people).cpu_ms_per_turn for _ in range(2))
            what = f"a turn, {CONVERSATIONS} conversations x {TURNS}, journalled"
            rows.append(Measure(what, ours, name, min(others() for _ in range(2)), "ms"))
    return rows
