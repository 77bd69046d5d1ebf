"""Ordinary LangChain handlers hear of conversations, their nodes, and the models that candidates ask."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult

from holdfast.agents.models.langchain.tracing import Traced
from holdfast.agents.protocols import GenerationRequest, Message
from holdfast.agents.raters.judge.asking import asking_version
from tests.simulator.engine.studies import run, session, study
from tests.simulator.scripted import HashModel


class Recorder(AsyncCallbackHandler):
    """Writes down who started inside whom, and what models were asked and said."""

    def __init__(self) -> None:
        self.names: dict[UUID, str] = {}
        self.parents: dict[UUID, UUID | None] = {}
        self.asked: list[list[BaseMessage]] = []
        self.parameters: list[dict[str, Any]] = []
        self.said: list[LLMResult] = []
        self.errors: list[BaseException] = []
        self.ended = 0

    async def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.names[run_id], self.parents[run_id] = kwargs["name"], kwargs.get("parent_run_id")

    async def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.ended += 1

    async def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self.names[run_id], self.parents[run_id] = kwargs["name"], kwargs.get("parent_run_id")
        self.asked += messages
        self.parameters.append(kwargs["invocation_params"])

    async def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        self.said.append(response)

    async def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.errors.append(error)

    def path(self, run: UUID) -> str:
        """``conversation > node > model``."""
        parent = self.parents[run]
        return self.names[run] if parent is None else f"{self.path(parent)} > {self.names[run]}"


def test_a_handler_hears_of_every_conversation_node_and_call(tmp_path: Path) -> None:
    plan, model, recorder = study(turns=3), HashModel(), Recorder()
    run(session(plan, model), tmp_path, callbacks=[recorder])
    paths = Counter(recorder.path(run) for run in recorder.names)
    for spec in plan.episodes:
        assert paths[spec.id] == 1
        assert paths[f"{spec.id} > user"] == 4  # before, between and after three replies
        assert paths[f"{spec.id} > assistant"] == 3
        assert paths[f"{spec.id} > assistant > hash"] == 3
    assert recorder.ended == len(plan.episodes) * (1 + 4 + 3)
    assert [len(messages) for messages in recorder.asked] == [len(request.messages) for request in model.requests]
    assert {kept["seed"] for kept in recorder.parameters} == {request.seed for request in model.requests}
    usage = recorder.said[0].generations[0][0].message.usage_metadata  # type: ignore[union-attr]
    assert usage == {"input_tokens": 8, "output_tokens": 8, "total_tokens": 16}


def test_a_handler_hears_of_a_model_that_fails(tmp_path: Path) -> None:
    plan, recorder = study(), Recorder()
    run(session(plan, HashModel(fail="base/jun_park")), tmp_path, callbacks=[recorder])
    assert [str(error) for error in recorder.errors] == ["no answer for base/jun_park/1/6/0"]


class HeldModel(HashModel):
    keeps_schemas = True


def test_a_judge_of_a_study_has_the_version_of_its_model() -> None:
    """Studies wrap their models: a judge that is held to its schema must not look like one that is not."""
    models = (HashModel(), HeldModel())
    assert [asking_version(Traced(model), structured=True) for model in models] == ["1", "2"]
    assert asking_version(Traced(HeldModel()), structured=False) == "1"


def test_handlers_change_no_word(tmp_path: Path) -> None:
    from tests.simulator.engine.studies import transcripts

    plan = study()
    run(session(plan), tmp_path / "a", callbacks=[Recorder()])
    run(session(plan), tmp_path / "b")
    assert transcripts(tmp_path / "a") == transcripts(tmp_path / "b")


def test_langsmith_works_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tracer is found among the handlers of a model call as soon as the variable is set. No network is needed."""
    from langchain_core.runnables.config import var_child_runnable_config
    from langchain_core.tracers import LangChainTracer
    from langsmith.utils import get_env_var

    found: set[type] = set()

    class Looking(HashModel):
        async def generate(self, request: GenerationRequest):  # type: ignore[no-untyped-def]
            callbacks: Any = (var_child_runnable_config.get() or {}).get("callbacks")
            found.update(type(handler) for handler in callbacks.handlers)
            return await super().generate(request)

    monkeypatch.setattr("langsmith.client.Client.create_run", lambda *_, **__: None)
    monkeypatch.setattr("langsmith.client.Client.update_run", lambda *_, **__: None)
    plan = study(turns=1)
    for variable, expected in ((None, set()), ("true", {LangChainTracer})):
        get_env_var.cache_clear()
        if variable:
            monkeypatch.setenv("LANGSMITH_TRACING", variable)
            monkeypatch.setenv("LANGSMITH_API_KEY", "none")
            monkeypatch.setenv("LANGSMITH_ENDPOINT", "http://127.0.0.1:9")
        run(session(plan, Looking()), tmp_path / str(variable))
        assert found == expected
    monkeypatch.undo()
    get_env_var.cache_clear()


def test_outside_a_graph_it_is_the_model() -> None:
    model = HashModel()
    request = GenerationRequest("k", (Message("user", "hello"),), 1)
    assert asyncio.run(Traced(model).generate(request)) == asyncio.run(model.generate(request))
    assert Traced(model).id == "hash"
