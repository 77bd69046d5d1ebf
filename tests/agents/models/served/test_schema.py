"""JSON schemas over a socket: sent where asked for, left out for good where the server refuses them and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.agents.models.response_cache import ResponseCache
from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
from holdfast.agents.models.served.failures import EndpointError
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.protocols import GenerationRequest, Message
from tests.agents.raters.judge.judge_server import Answer, Asked, Script, Server, serve

SCHEMA = {"title": "rating", "type": "object", "properties": {"warmth": {"type": "number"}}}


def ask(number: int = 0) -> GenerationRequest:
    return GenerationRequest(f"k{number}", (Message("user", f"Rate {number}."),), number, schema=SCHEMA)


def model(server: Server, retries: int = 3, cache: ResponseCache | None = None) -> ServedChatModel:
    return ServedChatModel(Endpoint(server.url, limits=EndpointLimits(retries=retries)), "m", cache=cache)


def with_schema(server: Server) -> list[bool]:
    return ["response_format" in asked.body for asked in server.asked]


def refusing(status: int) -> Script:
    """A server that knows no schemas."""
    return lambda asked: Answer("?", status=status) if "response_format" in asked.body else "fine"


async def test_the_schema_is_sent_under_its_title() -> None:
    with serve(lambda _: "{}") as server:
        await model(server).generate(ask())
    assert server.asked[0].body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "rating", "schema": SCHEMA},
    }


@pytest.mark.parametrize(("status", "tries"), [(400, 1), (404, 1), (415, 1), (422, 1), (500, 2), (501, 2)])
async def test_a_server_without_schemas_is_asked_without_from_then_on(status: int, tries: int) -> None:
    """An error of the server's own may pass, so only the second one counts."""
    with serve(refusing(status)) as server:
        asked = model(server)
        answers = [(await asked.generate(ask(number))).text for number in range(3)]
    assert answers == ["fine"] * 3
    assert with_schema(server) == [*[True] * tries, False, False, False]


async def test_a_request_that_is_refused_either_way_says_nothing_of_schemas() -> None:
    with serve(lambda asked: Answer("too long", status=400) if "Rate 0" in str(asked.body) else "fine") as server:
        asked = model(server)
        with pytest.raises(EndpointError, match="too long") as caught:
            await asked.generate(ask(0))
        await asked.generate(ask(1))
    assert caught.value.cause == "400"
    assert with_schema(server) == [True, False, True]


async def test_a_passing_error_costs_no_schema() -> None:
    calls: list[Asked] = []

    def script(asked: Asked) -> Answer | str:
        calls.append(asked)
        return Answer("busy", status=500) if len(calls) in (1, 3) else "fine"

    with serve(script) as server:
        asked = model(server)
        await asked.generate(ask(0))
        await asked.generate(ask(1))
    assert with_schema(server) == [True] * 4


async def test_an_answer_without_the_schema_is_kept_under_the_request(tmp_path: Path) -> None:
    with serve(refusing(400)) as server:
        for _ in range(2):  # the second one has not learned yet that the server knows no schemas
            made = await model(server, cache=ResponseCache(tmp_path / "answers.sqlite")).generate(ask())
            assert made.text == "fine"
    assert with_schema(server) == [True, False]
