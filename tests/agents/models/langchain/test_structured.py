"""JSON schemas through LangChain: kept where the provider's class knows them, read as plain text either way."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_core.messages import AIMessage

from holdfast.agents.models.langchain.model import LangChainChatModel
from holdfast.agents.models.langchain.structured import as_generation, as_structured
from holdfast.agents.models.served.failures import EndpointError
from holdfast.agents.protocols import Generation, GenerationRequest, Message, Sampling
from tests.agents.raters.judge.judge_server import Answer, Script, Server, serve

SCHEMA = {
    "title": "rating",
    "description": "A rating.",
    "type": "object",
    "properties": {"warmth": {"type": "number"}},
    "required": ["warmth"],
}
ASK = GenerationRequest("k", (Message("user", "Rate it."),), 1, sampling=Sampling(0, max_tokens=9), schema=SCHEMA)


def over_openai(server: Server) -> LangChainChatModel:
    openai = pytest.importorskip("langchain_openai.chat_models.base", reason="needs langchain-openai")

    def make(**settings: Any) -> BaseChatModel:
        return openai.BaseChatOpenAI(model="m", base_url=server.url, api_key="none", **settings)

    return LangChainChatModel("openai:m", make, {"max_retries": 0})


def ask(script: Script, times: int = 1) -> tuple[list[Generation], Server]:
    async def all_of_them(server: Server) -> list[Generation]:
        model = over_openai(server)
        return [await model.generate(ASK) for _ in range(times)]

    with serve(script) as server:
        return asyncio.run(all_of_them(server)), server


def test_the_raw_text_comes_back_whatever_the_server_did_with_the_schema() -> None:
    (made,), server = ask(lambda _: "  It is warm.")
    assert (made.text, made.prompt_tokens, made.completion_tokens, made.finish_reason) == (
        "It is warm.",
        100,
        20,
        "stop",
    )
    assert server.asked[0].body["response_format"]["json_schema"]["schema"]["required"] == ["warmth"]


def test_a_server_that_refuses_the_schema_is_asked_without_from_then_on() -> None:
    made, server = ask(lambda a: Answer("?", status=400) if "response_format" in a.body else "fine", times=2)
    assert [one.text for one in made] == ["fine", "fine"]
    assert ["response_format" in asked.body for asked in server.asked] == [True, False, False]


def test_an_answer_that_meets_its_limit_is_cut_off_and_no_error() -> None:
    (made,), _ = ask(lambda _: Answer('{"warmth": ', "length"))
    assert (made.text, made.finish_reason, made.completion_tokens) == ('{"warmth":', "length", 20)


def test_a_wrong_key_names_its_status() -> None:
    with pytest.raises(EndpointError) as caught:
        ask(lambda _: Answer("no", status=401))
    assert caught.value.cause == "401"


async def test_a_class_that_knows_no_schemas_is_asked_without() -> None:
    model = LangChainChatModel("fake:m", lambda **_: FakeListChatModel(responses=["warm"]))
    assert [(await model.generate(ASK)).text for _ in range(2)] == ["warm", "warm"]


def test_tools_and_refusals() -> None:
    call = {"name": "rating", "args": {"warmth": 2}, "id": "1"}
    assert as_structured(AIMessage("", tool_calls=[call])).text == json.dumps({"warmth": 2})
    unasked = as_generation(AIMessage("", tool_calls=[call]))
    assert (unasked.text, unasked.outcome, unasked.cause) == ("", "tool call", "a tool call (rating)")
    declined = AIMessage("", additional_kwargs={"refusal": "I would rather not."})
    assert as_generation(declined).finish_reason == "refusal"
    assert as_generation(AIMessage("", response_metadata={"stop_reason": "refusal"})).finish_reason == "refusal"


#: A message of LangChain's -> text, thoughts, outcome.
SHAPES = [
    (AIMessage("<think>a</think>Hi"), ("Hi", "a", "answered")),
    (AIMessage([{"type": "thinking", "thinking": "a", "signature": "x"}, {"type": "text", "text": "Hi"}]),
     ("Hi", "a", "answered")),
    (AIMessage([{"type": "reasoning", "reasoning": "a"}, {"type": "text", "text": "Hi"}]), ("Hi", "a", "answered")),
    (AIMessage([{"type": "reasoning_content", "reasoning_content": {"text": "a"}}, {"type": "text", "text": "Hi"}]),
     ("Hi", "a", "answered")),
    (AIMessage("Hi", additional_kwargs={"reasoning_content": "a"}), ("Hi", "a", "answered")),
    (AIMessage("", additional_kwargs={"reasoning_content": "a"}, response_metadata={"finish_reason": "length"}),
     ("", "a", "thoughts only")),
    (AIMessage("", response_metadata={"finish_reason": "MAX_TOKENS"}), ("", "", "cut")),
    (AIMessage("", response_metadata={"finish_reason": "SAFETY"}), ("", "", "filtered")),
    (AIMessage("", additional_kwargs={"tool_calls": [{"function": {"name": "f"}}]}), ("", "", "tool call")),
    (AIMessage("", usage_metadata={"input_tokens": 1, "output_tokens": 9, "total_tokens": 10,
                                   "output_token_details": {"reasoning": 9}}), ("", "", "thoughts only")),
    (AIMessage("I am \ud800 sorry\0."), ("I am \ufffd sorry.", "", "answered")),
]  # fmt: skip


@pytest.mark.parametrize(("message", "expected"), SHAPES)
def test_thoughts_and_outcomes_of_every_provider(message: AIMessage, expected: tuple[str, str, str]) -> None:
    made = as_generation(message)
    assert (made.text, made.thoughts, made.outcome) == expected


def test_a_lone_surrogate_is_repaired_on_its_way_through_langchain() -> None:
    (made,), _ = ask(lambda _: "I am \ud800 sorry.")
    assert made.text == "I am \ufffd sorry."
