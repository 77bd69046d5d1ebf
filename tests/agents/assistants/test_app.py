"""Applications as candidates: what they are sent, what may come back, what else they did, and how they fail."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from holdfast.agents import registry
from holdfast.agents.assistants.app import App, FunctionSource, read_app_answer, split_url
from holdfast.agents.models.keys import ApiKey
from holdfast.agents.models.served.refusals import Asked, refusal
from holdfast.agents.protocols import AssistantView, Message
from holdfast.core.errors import ModelError
from tests.simulator.scripted import HashModel, ScriptedResources

VIEW = AssistantView(
    "jun_park/app/1", 2, (Message("user", "Hi."), Message("assistant", "Yes?"), Message("user", "My line is down.")), 7
)


def test_an_answer_of_any_shape() -> None:
    for answer in ("Restart it.", {"text": "Restart it."}, {"content": "Restart it."}, {"messages": ["Restart it."]}):
        assert read_app_answer(answer, "bot").text == "Restart it."
    several = read_app_answer(
        {
            "messages": ["One moment.", {"role": "assistant", "content": "It is booked."}],
            "tool_calls": [{"name": "book", "arguments": {"day": "Monday"}}],
            "keep": {"ticket": 17},
            "prompt_tokens": 40,
            "completion_tokens": 9,
        },
        "bot",
    )
    assert several.text == "One moment.\n\nIt is booked."
    assert several.kept == 'tool call {"name": "book", "arguments": {"day": "Monday"}}\n\nkept {"ticket": 17}'
    assert (several.prompt_tokens, several.completion_tokens, several.outcome) == (40, 9, "answered")
    silent = read_app_answer({"tool_calls": [{"name": "book", "arguments": {}}]}, "bot")
    assert (silent.text, silent.outcome) == ("", "tool call")
    assert read_app_answer("<think>Hm.</think>Yes.", "bot").text == "Yes."
    for nothing in (None, 7, ["a"]):
        with pytest.raises(ModelError, match="an answer is a text, or a mapping with 'text' or 'messages'; got"):
            read_app_answer(nothing, "bot")
    for key in ("messages", "tool_calls"):
        with pytest.raises(ModelError, match=f"'{key}' of an answer is a list; got 'nope'"):
            read_app_answer({"text": "Yes.", key: "nope"}, "bot")


def test_an_address_that_is_not_there_is_named_whole() -> None:
    refused = refusal(404, {}, b"", Asked("http://h:8765/v1", None, ApiKey(), "reply"))
    assert str(refused) == "nothing at http://h:8765/v1/reply answers (404); is the app's url right?"


async def test_a_function_sees_the_conversation_and_no_persona() -> None:
    seen: list[tuple[Any, ...]] = []

    def bot(conversation: str, history: Sequence[Mapping[str, str]], message: str) -> str:
        seen.append((conversation, list(history), message))
        return "Restart it."

    reply = await App("bot", FunctionSource(bot)).reply(VIEW)
    assert reply.text == "Restart it."
    ((conversation, history, message),) = seen
    assert message == "My line is down."
    assert history == [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Yes?"}]
    assert "jun" not in conversation
    assert len(conversation) == 16


async def test_what_a_function_raises_is_its_conversations_failure() -> None:
    async def bot(*_: object) -> str:
        raise KeyError("ticket")

    with pytest.raises(ModelError, match="the function raised KeyError: 'ticket'"):
        await App("bot", FunctionSource(bot)).reply(VIEW)


async def test_a_function_is_a_word_in_yaml() -> None:
    registry.register_function("echo_of_a_test", lambda _id, _history, message: message)
    try:
        spec = registry.parse({"kind": "echo_of_a_test", "name": "echo"})
        candidate = registry.build_candidate(spec, ScriptedResources(HashModel()))
        assert (candidate.name, (await candidate.reply(VIEW)).text) == ("echo", "My line is down.")
    finally:
        del registry._KINDS.entries["echo_of_a_test"]


def test_an_address_and_its_last_step() -> None:
    assert split_url("http://localhost:8000/v1/reply") == ("http://localhost:8000/v1", "reply")
    assert split_url("http://localhost:8000/") == ("http://localhost:8000", "")
    for bad in ("localhost:8000/reply", "ftp://x/reply"):
        with pytest.raises(ValueError, match="url"):
            registry.parse({"kind": "app", "url": bad})


class _Server:
    """A web application that answers once its first answers have failed."""

    def __init__(self, failures: Sequence[int] = (), body: str | None = None) -> None:
        self.failures, self.body, self.turns = list(failures), body, []

    async def answer(self, request: web.Request) -> web.Response:
        if self.failures:
            return web.Response(status=self.failures.pop(0), text="later")
        self.turns.append(await request.json())
        body = json.dumps({"text": f"Turn {self.turns[-1]['turn']}."}) if self.body is None else self.body
        return web.Response(text=body, content_type="application/json")

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_post("/reply", self.answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return f"http://127.0.0.1:{port}/reply"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


def app(url: str, **more: Any) -> App:
    spec = registry.parse({"kind": "app", "name": "bot", "url": url, **more})
    return registry.build_candidate(spec, ScriptedResources(HashModel()))  # type: ignore[return-value]


async def test_an_app_over_http_is_asked_again_where_it_fails() -> None:
    server = _Server([503, 500])
    async with server as url:
        assert (await app(url).reply(VIEW)).text == "Turn 2."
    assert server.turns == [
        {
            "conversation": server.turns[0]["conversation"],
            "turn": 2,
            "history": [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Yes?"}],
            "message": "My line is down.",
            "seed": 7,
        }
    ]


async def test_an_app_that_refuses_or_says_nonsense_fails_the_conversation() -> None:
    async with _Server([404]) as url:
        with pytest.raises(ModelError, match="404"):
            await app(url).reply(VIEW)
    async with _Server(body="not json") as url:
        with pytest.raises(ModelError, match="the answer is no JSON"):
            await app(url).reply(VIEW)


async def test_a_study_of_an_app(tmp_path: Path) -> None:
    from holdfast.simulator.config.study import StudyConfig
    from holdfast.simulator.runtime.pipeline import run_pipeline

    async with _Server() as url:
        fields = {"turns": 3, "personas": {"ids": ["jun_park"]}, "candidates": [{"kind": "app", "url": url}]}
        results = await run_pipeline(StudyConfig.model_validate(fields), tmp_path / "out")
    assert results.candidates["app"].episodes == 1
    assert results.turns == 3
