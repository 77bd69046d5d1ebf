"""Wide batches are walked without LangGraph where nobody listens: the same turns, the same endings, the same errors."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextvars import ContextVar
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, BaseCallbackManager
from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers import context as hooks
from langgraph.errors import GraphRecursionError

from holdfast.agents.assistants import BareModel
from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.core.errors import BudgetError, ModelError
from holdfast.simulator.conversation.participants import Participants, opening
from holdfast.simulator.conversation.stop import MaxTurns
from holdfast.simulator.conversation.walk import Turnstile, walk
from holdfast.simulator.engine.batch import WIDE
from holdfast.simulator.journal.store import Journal, read_episodes
from holdfast.simulator.engine.run import run_study, run_study_async
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.records import EpisodeSpec, TurnRecord
from tests.simulator.engine.studies import study, transcripts, troupe
from tests.simulator.scripted import TASKS, HashModel, HashRater, ScriptedUser, persona


class Looking(HashModel):
    """Notes whether it was asked from within LangGraph; answers without a pause."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.in_graph: set[bool] = set()

    async def generate(self, request: GenerationRequest) -> Generation:
        self.in_graph.add(var_child_runnable_config.get() is not None)
        return await super().generate(request)


def wide(**changes: Any) -> Plan:
    """Nine conversations for each of eight seeds, all at once."""
    plan = study(**{"seeds": 8, "turns": 4, "concurrency": 100} | changes)
    assert len(plan.episodes) > WIDE
    return plan


def narrow(**changes: Any) -> Plan:
    """The same conversations, one fewer at once than are walked."""
    return wide(concurrency=WIDE, **changes)


def test_both_ways_keep_the_same(tmp_path: Path) -> None:
    """Users that leave and a candidate that fails among them."""
    journals, ways = [], []
    for plan in (narrow(leave=True), wide(leave=True)):
        model, out = Looking(fail="system_prompt/jun_park"), tmp_path / str(plan.study.concurrency)
        outcome = run_study(plan, troupe(plan, model, leaves_after=3), out)
        assert outcome.failed == 8
        journals.append(read_episodes(outcome.journal))
        ways.append(model.in_graph)
    assert ways == [{True}, {False}]
    assert journals[0] == journals[1]
    assert {turn.stop for episode in journals[1] for turn in episode.turns} == {None, "user left: enough"}
    assert {episode.error for episode in journals[1]} == {
        None,
        *(f"no answer for system_prompt/jun_park/{seed}/4/0" for seed in range(1, 9)),
    }


def test_few_conversations_are_not_wide_however_many_are_allowed(tmp_path: Path) -> None:
    plan, model = study(concurrency=100), Looking()
    run_study(plan, troupe(plan, model), tmp_path)
    assert model.in_graph == {True}


@pytest.mark.parametrize(("first", "then"), [(narrow, wide), (wide, narrow)])
def test_what_one_way_began_the_other_ends(tmp_path: Path, first: Any, then: Any) -> None:
    begun, model = first(turns=8, budget={"tokens": 5_000}), Looking()
    with pytest.raises(BudgetError, match="5,000 tokens"):
        run_study(begun, troupe(begun, model), tmp_path / "halted")
    with Journal.read(tmp_path / "halted" / "journal.sqlite") as journal:
        kept = journal.count()
    assert len(model.requests) == kept.turns  # what was in flight is kept, and nothing else was begun
    assert kept.turns > 72
    assert kept.ended + WIDE < 72  # so many are owed that the rest is wide too
    plan, rest = then(turns=8), Looking()
    run_study(plan, troupe(plan, rest), tmp_path / "halted", resume=True)
    run_study(plan, troupe(plan), tmp_path / "calm")
    assert model.in_graph | rest.in_graph == {True, False}
    assert len(rest.requests) == 8 * 72 - kept.turns
    assert transcripts(tmp_path / "halted") == transcripts(tmp_path / "calm")


async def test_a_cancelled_walk_keeps_what_was_finished(tmp_path: Path) -> None:
    class Hanging(Looking):
        hanging = 0

        async def generate(self, request: GenerationRequest) -> Generation:
            if len(self.requests) >= 100:
                self.hanging += 1
                await asyncio.Event().wait()
            return await super().generate(request)

    plan, model = wide(), Hanging()
    run = asyncio.create_task(run_study_async(plan, troupe(plan, model), tmp_path))
    while model.hanging < 72:
        await asyncio.sleep(0.01)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert model.in_graph == {False}
    with Journal.read(tmp_path / "journal.sqlite") as journal:
        assert journal.count().turns == 100


def test_ctrl_c_is_heard_although_no_model_ever_waits(tmp_path: Path) -> None:
    class Restless(Looking):
        async def generate(self, request: GenerationRequest) -> Generation:
            self.requests.append(request)
            if len(self.requests) == 100:
                os.kill(os.getpid(), signal.SIGINT)
            return Generation("That sounds hard.", 1, 1)

    plan, model = wide(turns=20), Restless()
    with pytest.raises(KeyboardInterrupt):
        run_study(plan, troupe(plan, model), tmp_path)
    assert 100 <= len(model.requests) < 200


def cast(keep: Any, model: HashModel, stop: int) -> Participants:
    spec = EpisodeSpec("amira", "bug_hunt", "base", 1, 5)
    return Participants(spec, TASKS["bug_hunt"], ScriptedUser(persona()), BareModel(model), {"hash": HashRater()}, MaxTurns(stop), keep)


async def test_errors_come_out_as_they_are_and_an_endless_walk_ends() -> None:
    turns: list[TurnRecord] = []

    async def keep(record: TurnRecord) -> None:
        turns.append(record)

    failing, endless = cast(keep, HashModel(fail="amira"), 5), cast(keep, HashModel(), 1000)
    with pytest.raises(ModelError, match="no answer for base/amira"):
        await walk(failing, opening(failing), 14, Turnstile())
    with pytest.raises(GraphRecursionError, match="no end within 14 steps"):
        await walk(endless, opening(endless), 14, Turnstile())
    assert [turn.turn for turn in turns] == [1, 2, 3, 4, 5, 6]


async def test_a_turnstile_lets_a_few_through_at_each_turn_of_the_loop_in_order() -> None:
    turnstile, passed = Turnstile(3), []

    async def come(number: int) -> None:
        await turnstile.through()
        passed.append(number)

    crowd = [asyncio.create_task(come(number)) for number in range(10)]
    await asyncio.sleep(0)
    assert passed == [0, 1, 2]
    crowd[4].cancel()  # gives up its place, which costs nobody else's
    seen = [len(passed)]
    while len(passed) < 9:
        await asyncio.sleep(0)
        seen.append(len(passed))
    assert passed == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert max(after - before for before, after in pairwise(seen)) == 3
    await asyncio.gather(*crowd, return_exceptions=True)
    for _ in range(3):  # nobody waits: it lets through at once, and rests
        await asyncio.sleep(0)
    assert turnstile._opening is None
    with pytest.raises(StopIteration):
        turnstile.through().send(None)


# --- who listens ---------------------------------------------------------------------------------------------------


class Counting(BaseCallbackHandler):
    """Counts the runs that it hears of."""

    def __init__(self) -> None:
        self.runs = 0

    def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
        self.runs += 1


def runs_in_graph(out: Path, **arguments: Any) -> set[bool]:
    plan, model = wide(turns=1), Looking()
    run_study(plan, troupe(plan, model), out, **arguments)
    return model.in_graph


def test_a_handler_hears_of_a_wide_batch(tmp_path: Path) -> None:
    heard = Counting()
    assert runs_in_graph(tmp_path, callbacks=[heard]) == {True}
    assert heard.runs == 72 * (1 + 3)  # the conversation; user, assistant, user


def test_an_empty_list_of_handlers_is_nobody(tmp_path: Path) -> None:
    assert runs_in_graph(tmp_path, callbacks=[]) == {False}


def test_langsmith_hears_of_a_wide_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from langsmith.utils import get_env_var

    monkeypatch.setattr("langsmith.client.Client.create_run", lambda *_, **__: None)
    monkeypatch.setattr("langsmith.client.Client.update_run", lambda *_, **__: None)
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_API_KEY", "none")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", "http://127.0.0.1:9")
    get_env_var.cache_clear()
    try:
        assert runs_in_graph(tmp_path) == {True}
    finally:
        monkeypatch.undo()
        get_env_var.cache_clear()


@pytest.fixture
def hook() -> Iterator[Counting]:
    """A handler that LangChain hands to every run, as ``register_configure_hook`` does it for token counters."""
    heard = Counting()
    variable: ContextVar[Any] = ContextVar("heard", default=heard)
    hooks.register_configure_hook(variable, inheritable=True)
    yield heard
    hooks._configure_hooks.pop()


def test_a_hook_for_every_run_hears_of_a_wide_batch(tmp_path: Path, hook: Counting) -> None:
    assert runs_in_graph(tmp_path) == {True}
    assert hook.runs == 72 * (1 + 3)


def test_instrumentation_hears_of_a_wide_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As OpenTelemetry's instrumentors do it: every callback manager gets a handler when it is made."""
    heard, made = Counting(), BaseCallbackManager.__init__

    def instrumented(self: BaseCallbackManager, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        if heard not in self.inheritable_handlers:
            self.add_handler(heard, inherit=True)

    monkeypatch.setattr(BaseCallbackManager, "__init__", instrumented)
    assert runs_in_graph(tmp_path) == {True}
    assert heard.runs == 72 * (1 + 3)


async def test_inside_another_run_its_handlers_hear_of_a_wide_batch(tmp_path: Path) -> None:
    names: set[str] = set()

    class Heard(AsyncCallbackHandler):
        async def on_chain_start(self, *args: Any, **kwargs: Any) -> None:
            names.add(kwargs["name"])

    plan, model = wide(turns=1), Looking()

    async def run(_: Any) -> int:
        return (await run_study_async(plan, troupe(plan, model), tmp_path)).turns

    assert await RunnableLambda(run).ainvoke(None, {"callbacks": [Heard()]}) == 72
    assert model.in_graph == {True}
    assert {spec.id for spec in plan.episodes} <= names
