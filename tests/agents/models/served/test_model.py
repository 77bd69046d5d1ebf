"""The served model against a real server on a real socket, calm and under every fault."""

from __future__ import annotations

import asyncio
import pickle
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.agents.models.response_cache import ResponseCache
from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.models.served.retrying import RetryBudget
from holdfast.agents.models.spec import Prices
from holdfast.agents.models.usage import Usage
from holdfast.agents.protocols import Generation, GenerationRequest, Message, Sampling
from holdfast.core.errors import InputError, ModelError
from tests.servers.faults import EVERY, Faults
from tests.servers.kinds import Fault
from tests.servers.openai_server import ScriptedServer

PATIENT = EndpointLimits(timeout_s=20, patience_s=20)
QUICK = replace(PATIENT, timeout_s=0.5)


def model(server: ScriptedServer, limits: EndpointLimits = PATIENT, **more: Any) -> ServedChatModel:
    return ServedChatModel(Endpoint(server.base_url, limits=limits), "m", **more)


def request(number: int = 0, **more: Any) -> GenerationRequest:
    return GenerationRequest(f"c{number}", (Message("user", f"I feel torn, {number}."),), seed=number, **more)


def only(fault: Fault, in_a_row: int = 1) -> Faults:
    return Faults(1.0, weights={fault: 1.0}, in_a_row=in_a_row)


async def ask_all(asked: ServedChatModel, count: int) -> list[Generation]:
    return await asyncio.gather(*(asked.generate(request(number)) for number in range(count)))


async def test_what_is_sent() -> None:
    async with ScriptedServer(keep=True) as server:
        sampling = Sampling(0.3, 0.9, 17)
        made = await model(server, extra={"top_k": 5}).generate(request(1 << 40 | 7, sampling=sampling, adapter="warm"))
        (body,) = server.requests
    assert body == {
        "model": "warm",  # an adapter is a model of its own
        "messages": [{"role": "user", "content": f"I feel torn, {1 << 40 | 7}."}],
        "max_tokens": 17,
        "temperature": 0.3,
        "top_p": 0.9,
        "seed": 7,  # the low 31 bits of 2^40 + 7
        "top_k": 5,
    }
    assert made.prompt_tokens == 4
    assert 0 < made.completion_tokens <= 17


async def test_an_adapter_may_go_by_another_name_there() -> None:
    async with ScriptedServer(keep=True) as server:
        await model(server, served_as="/srv/{adapter}").generate(request(adapter="warm"))
        assert server.requests[0]["model"] == "/srv/warm"


@pytest.mark.parametrize("fault", EVERY)
async def test_every_fault_is_retried_and_changes_no_word(fault: Fault) -> None:
    async with ScriptedServer() as calm:
        expected = await model(calm).generate(request())
    async with ScriptedServer(only(fault), patience_s=1, retry_after_s=0.2, down_s=0.1) as server:
        asked = model(server, QUICK if fault == "timeout" else PATIENT)
        assert await asked.generate(request()) == expected
        assert server.met == Counter({fault: 1})
    slow_but_fine = fault == "slow drip"
    assert asked.counters()["retries"] >= (0 if slow_but_fine else 1)
    assert asked.usage.answered == 1


@pytest.mark.slow
async def test_a_storm_gives_the_words_of_a_calm() -> None:
    async with ScriptedServer() as server:
        calm = await ask_all(model(server), 80)
    storm = Faults(0.4, seed=5)
    async with ScriptedServer(storm, patience_s=2.5, retry_after_s=0.02, down_s=0.05, drip_s=0.002) as server:
        asked = model(server, EndpointLimits(timeout_s=2, retries=20))
        assert await ask_all(asked, 80) == calm
        assert len(server.met) > 8
    assert asked.usage.failed == 0
    assert asked.usage.retries.total() >= sum(server.met.values()) - server.met["slow drip"]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"models": ("other",)}, r"does not know the model 'm' \(404\): The model `m` does not exist"),
        ({"api_key": "k"}, "refuses the request, which came without a key .401."),
        ({"context": 2}, "the conversation is longer than m at .* reads"),
    ],
)
async def test_what_no_retry_can_mend_is_said_at_once(setting: dict[str, Any], says: str) -> None:
    async with ScriptedServer(**setting) as server:
        asked = model(server)
        with pytest.raises(ModelError, match=says):
            await asked.generate(request())
    assert asked.counters()["retries"] == 0
    assert asked.counters()["failed"] == 1


async def test_tries_come_to_an_end() -> None:
    async with ScriptedServer(only("500", in_a_row=99)) as server:
        with pytest.raises(ModelError, match=r"did not answer in 3 tries, the last: 500 \(The server had an error"):
            await model(server, replace(PATIENT, retries=2)).generate(request())
        assert server.met["500"] == 3


async def test_the_run_has_a_budget_of_retries() -> None:
    async with ScriptedServer(only("500")) as server:
        asked = model(server, budget=RetryBudget(3))
        done = await asyncio.gather(*(asked.generate(request(number)) for number in range(5)), return_exceptions=True)
    failed = [str(one) for one in done if isinstance(one, ModelError)]
    assert len(failed) == 2  # three retries among five requests, each of which needs one
    assert all("the run's retry budget is spent" in text for text in failed)


async def test_an_endpoint_that_dies_is_left_alone_and_then_given_up() -> None:
    async with ScriptedServer() as server:
        asked = model(server, replace(PATIENT, patience_s=1.2))
        await asked.generate(request())
    done = await asyncio.gather(*(asked.generate(request(number)) for number in range(40)), return_exceptions=True)
    assert all(isinstance(one, ModelError) for one in done)
    assert any("has not answered for over 1.2 s; given up for now" in str(one) for one in done)
    assert asked.usage.pauses == 1
    assert asked.usage.retries.total() < 80  # 40 requests x 6 retries without a breaker


async def test_no_more_requests_in_flight_than_allowed() -> None:
    async with ScriptedServer(latency_s=0.02) as server:
        await ask_all(model(server, replace(PATIENT, concurrency=3)), 12)
        assert server.busiest == 3


async def test_tokens_are_counted_and_priced() -> None:
    async with ScriptedServer() as server:
        asked = model(server, usage=Usage(Prices(prompt=2.0, completion=10.0)))
        made = await ask_all(asked, 3)
    prompts, words = sum(one.prompt_tokens for one in made), sum(one.completion_tokens for one in made)
    assert asked.counters()["cost_usd"] == pytest.approx((2 * prompts + 10 * words) / 1e6)
    assert "cost_usd" not in model(server).counters()


async def test_the_cache_answers_without_the_server_and_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "answers.sqlite"
    async with ScriptedServer() as server:
        asked = model(server, cache=ResponseCache(path))
        first = await ask_all(asked, 4)
    again = replace(asked, usage=Usage(), cache=ResponseCache(path))  # the server is gone
    assert await ask_all(again, 4) == first
    assert (again.usage.cached, again.usage.answered, again.usage.prompt_tokens) == (4, 0, 0)


def test_the_cache_refuses_what_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, but long enough to be read as one" * 20)
    with pytest.raises(InputError, match=r"response cache .*notes.txt: cannot be opened \(file is not a database"):
        ResponseCache(tmp_path / "notes.txt")


def test_the_cache_leaves_the_database_of_another_program_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "theirs.db") as theirs:
        theirs.execute("CREATE TABLE mine (a)")
    before = (tmp_path / "theirs.db").read_bytes()
    with pytest.raises(InputError, match=r"theirs.db: is another program's database"):
        ResponseCache(tmp_path / "theirs.db")
    assert (tmp_path / "theirs.db").read_bytes() == before


def test_each_event_loop_has_its_own_connections_and_closes_them() -> None:
    async def both(port: int) -> int:
        async with ScriptedServer(port=port) as server:
            await asked.generate(request())
            return server.port

    asked = ServedChatModel(Endpoint("http://127.0.0.1:1"), "m")
    port = asyncio.run(_free_port())
    asked = replace(asked, endpoint=Endpoint(f"http://127.0.0.1:{port}/v1", limits=PATIENT))
    assert asyncio.run(both(port)) == asyncio.run(both(port)) == port


async def _free_port() -> int:
    async with ScriptedServer() as server:
        return server.port


async def test_it_travels_to_another_process() -> None:
    async with ScriptedServer() as server:
        asked = model(server)
        here = await asked.generate(request())
        assert await pickle.loads(pickle.dumps(asked)).generate(request()) == here


async def test_vllm_is_handed_adapters(tmp_path: Path) -> None:
    async with ScriptedServer(models=("m",)) as server:
        asked = model(server)
        with pytest.raises(ModelError, match="does not know the model 'warm'"):
            await asked.generate(request(adapter="warm"))
        await asked.load_adapters([("warm", tmp_path)])
        assert (await asked.generate(request(adapter="warm"))).text
