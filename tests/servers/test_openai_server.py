"""The scripted server itself: what it says follows from the request, each fault is what its name says."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.faults import EVERY, Faults
from tests.servers.kinds import Fault
from tests.servers.openai_server import ScriptedServer


def body(text: str = "I feel torn.", **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], "max_tokens": 40, "seed": 1} | more


async def post(server: ScriptedServer, sent: dict[str, Any], timeout: float = 5.0) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(f"{server.base_url}/chat/completions", json=sent, timeout=timeout)


def only(fault: Fault) -> Faults:
    return Faults(1.0, weights={fault: 1.0}, in_a_row=1)


async def test_the_same_request_gets_the_same_answer_and_another_seed_another() -> None:
    async with ScriptedServer() as server:
        texts = [(await post(server, body(seed=seed))).json() for seed in (1, 1, *range(2, 12))]
    assert texts[0] == texts[1]
    assert len({text["choices"][0]["message"]["content"] for text in texts}) > 5


async def test_max_tokens_cuts() -> None:
    async with ScriptedServer() as server:
        choice = (await post(server, body(max_tokens=3))).json()["choices"][0]
    assert len(choice["message"]["content"].split()) == 3
    assert choice["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("fault", "status", "readable"),
    [
        ("429 seconds", 429, True),
        ("429 date", 429, True),
        ("500", 500, True),
        ("503 html", 503, False),
        ("truncated json", 200, False),
        ("not json", 200, False),
        ("no choices", 200, True),
        ("slow drip", 200, True),
    ],
)
async def test_a_fault_that_answers(fault: Fault, status: int, readable: bool) -> None:
    async with ScriptedServer(only(fault), retry_after_s=7) as server:
        first = await post(server, body())
        second = await post(server, body())
        assert server.met == Counter({fault: 1})
    assert first.status_code == status
    assert (json_or_none(first.content) is not None) == readable
    assert second.json()["choices"]  # the same request comes through the next time
    if fault == "429 seconds":
        assert first.headers["retry-after"] == "7"
    if fault == "429 date":
        assert parsedate_to_datetime(first.headers["retry-after"]).tzinfo is not None


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("timeout", httpx.ReadTimeout),
        ("reset", httpx.ReadError),
        ("reset midway", (httpx.ReadError, httpx.RemoteProtocolError)),
        ("cut short", httpx.RemoteProtocolError),
        ("restart", httpx.ReadError),
    ],
)
async def test_a_fault_that_breaks_the_connection(fault: Fault, error: type[Exception]) -> None:
    async with ScriptedServer(only(fault), patience_s=0.6, down_s=0.1) as server:
        with pytest.raises(error):
            await post(server, body(), timeout=0.3)
        if fault == "restart":
            with pytest.raises(httpx.ConnectError):
                await post(server, body())
            await asyncio.sleep(0.3)
        assert (await post(server, body())).status_code == 200


@given(seed=st.integers(0, 2**32), digest=st.binary(min_size=32, max_size=32))
@settings(max_examples=200)
def test_no_request_fails_for_ever_and_order_changes_nothing(seed: int, digest: bytes) -> None:
    faults = Faults(0.9, seed, in_a_row=3)
    drawn = [faults.draw(digest, attempt) for attempt in range(5)]
    assert drawn[3:] == [None, None]
    assert drawn == [faults.draw(digest, attempt) for attempt in range(5)]


def test_every_kind_is_drawn_at_its_rate() -> None:
    faults = Faults(0.5, 1)
    drawn = Counter(faults.draw(number.to_bytes(32, "big"), 0) for number in range(3000))
    assert abs(drawn.pop(None) / 3000 - 0.5) < 0.05  # five standard errors
    assert set(drawn) == set(EVERY)


async def test_a_key_an_unknown_model_and_a_long_conversation_are_refused() -> None:
    async with ScriptedServer(models=("m",), api_key="right", context=5) as server:
        assert (await post(server, body())).status_code == 401
        async with httpx.AsyncClient(base_url=server.base_url, headers={"Authorization": "Bearer right"}) as client:
            assert (await client.post("chat/completions", json=body(model="other"))).status_code == 404
            long = await client.post("chat/completions", json=body("one two three four five six"))
            assert long.json()["error"]["code"] == "context_length_exceeded"
            await client.post("load_lora_adapter", json={"lora_name": "other", "lora_path": "/x"})
            assert (await client.post("chat/completions", json=body(model="other"))).status_code == 200


def json_or_none(data: bytes) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None
