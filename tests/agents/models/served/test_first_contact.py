"""An endpoint that has never answered: what it met is told at once, to all who wait, with what to write instead."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest

from holdfast.agents.models.keys import ApiKey
from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
from holdfast.agents.models.served.failures import EndpointError, TransientError
from holdfast.agents.models.served.first_contact import FirstContact
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.protocols import GenerationRequest, Message
from tests.servers.openai_server import ScriptedServer
from tests.servers.raw_server import GOOD, RawServer, Script, response

QUICK = EndpointLimits(timeout_s=10, patience_s=20)


def served(url: str, limits: EndpointLimits = QUICK, **more: Any) -> ServedChatModel:
    return ServedChatModel(Endpoint(url, limits=limits), "m", **more)


def request(number: int = 0, **more: Any) -> GenerationRequest:
    return GenerationRequest(f"c{number}", (Message("user", f"I feel torn, {number}."),), seed=number, **more)


async def failures(asked: ServedChatModel, count: int = 20) -> list[EndpointError]:
    """What ``count`` requests at once fail with; fails where one is answered."""
    done = await asyncio.gather(*(asked.generate(request(number)) for number in range(count)), return_exceptions=True)
    assert all(isinstance(each, EndpointError) for each in done), done
    return [each for each in done if isinstance(each, EndpointError)]


async def one_cause(asked: ServedChatModel) -> str:
    """The one thing that all requests fail with, in seconds, as one that has never answered."""
    began = time.monotonic()
    errors = await failures(asked)
    assert time.monotonic() - began < 20  # of the 600 s that an outage is waited for
    assert {error.never_answered for error in errors} == {True}
    (cause,) = {str(error) for error in errors}
    return cause


def page(text: bytes) -> Script:
    return lambda request, number: response(200, text)


def status(number: int, body: bytes = b"", **headers: str) -> Script:
    return lambda request, count: response(number, body, **headers)


LOGIN = b"<!doctype html><html><head><title>Sign in &mdash; Intranet</title></head><body>...</body></html>"
CAUSES: list[tuple[Script, int, list[str]]] = [
    (page(LOGIN), 3, ["in 3 tries", "a web page instead of an answer: Sign in", "is it a page to log in"]),
    (page(b'{"object": "list", "data": []}'), 3, ["malformed"]),
    (page(b"It works!"), 3, ["malformed (text instead of JSON: It works!)"]),
    (page(b""), 3, ["an empty answer"]),
    (page(b'data: {"choices": [{"delta": {"content": "x"}}]}\n\n'), 3, ["a stream of events, which was not asked for"]),
    (status(401, b'{"error": {"message": "no key"}}'), 1, ["came without a key (401): no key", "api_key_env"]),
    (status(403, b"<html>Forbidden by policy</html>"), 1, ["(403): Forbidden by policy"]),
    (
        status(404, b"404 page not found"),
        1,
        ["has no chat completions (404: 404 page not found)", "is base_url right?"],
    ),
    (status(404, b'{"detail": "Not Found"}'), 1, ["has no chat completions (404: Not Found)"]),
    (
        status(404, b'{"error": "model \'m\' not found, try pulling it first"}'),
        1,
        ["does not know the model 'm' (404)"],
    ),
    (status(405, b"Method Not Allowed"), 1, ["has no chat completions (405"]),
    (
        status(302, Location="https://sso.example.com/login?next=SECRET"),
        1,
        ["(302) to https://sso.example.com/login, "],
    ),
    (status(302, Location="/login"), 1, ["/login, which looks like a page to log in"]),
    (
        status(301, Location="https://other.example.com:8443/v2/chat/completions"),
        1,
        ["(301) to https://other.example.com:8443/v2/", "write base_url: https://other.example.com:8443/v2"],
    ),
    (status(307, Location="http://[::1"), 1, ["(307) and names no address"]),
    (status(308, Location="file:///etc/passwd"), 1, ["(308) and names no address"]),
    (status(429, b'{"error": {"code": "insufficient_quota", "message": "pay"}}'), 1, ["the quota is spent (429)"]),
]


@pytest.mark.parametrize(("script", "requests", "says"), CAUSES)
async def test_what_is_no_outage_is_told_at_once(script: Script, requests: int, says: list[str]) -> None:
    async with RawServer(script) as server:
        cause = await one_cause(served(server.base_url))
        assert len(server.requests) == requests  # of twenty, one goes first
    for words in says:
        assert words in cause
    assert "SECRET" not in cause


async def test_a_refused_port_and_an_unknown_host() -> None:
    async with RawServer() as server:
        gone = server.base_url
    cause = await one_cause(served(gone))
    assert "in 4 tries, the last: no connection (connection refused: 127.0.0.1:" in cause
    assert "--wait-for-endpoint" in cause
    assert "no such host: no.such.host.invalid" in await one_cause(served("http://no.such.host.invalid/v1"))


@pytest.mark.slow
async def test_no_trusted_certificate_and_no_tls() -> None:
    async with RawServer(tls=True) as server:
        cause = await one_cause(served(server.base_url))
        assert "did not answer: certificate (self-signed certificate)" in cause
        assert "SSL_CERT_FILE" in cause
        assert not server.requests
    async with ScriptedServer() as server:  # reads up to a blank line, and a TLS greeting has none
        cause = await one_cause(served(server.base_url.replace("http", "https")))
        assert "does not take connections" in cause


async def test_a_server_without_tls_says_so_in_its_own_way() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        cause = await one_cause(served(url.replace("http", "https")))
        assert f"does it speak plain http there? then write {url}" in cause


async def test_a_missing_v1_is_suggested() -> None:
    def script(request: Any, number: int) -> bytes:
        return response(200) if request.path.startswith("/v1/") else response(404, b"404 page not found")

    async with RawServer(script) as server:
        root = server.base_url.removesuffix("/v1")
        assert f"did you mean base_url: {server.base_url} ?" in await one_cause(served(root))
        assert (await served(server.base_url).generate(request())).text == "I am so sorry."


async def test_a_server_error_from_the_start_is_tried_for_seconds() -> None:
    async with RawServer(status(503, b"loading model")) as server:
        errors = await failures(served(server.base_url, replace(QUICK, retries=2)), 4)
        assert len(server.requests) == 8
    assert {str(error).split(" did not answer in ")[1][2:] for error in errors} == {
        "tries, the last: 503 (loading model)"
    }
    assert any(error.never_answered for error in errors)


async def test_a_server_that_is_still_loading_is_waited_for_where_asked() -> None:
    done = asyncio.Event()

    async def late(port: int) -> int:
        await asyncio.sleep(2)
        async with RawServer(loading, port=port) as server:
            await done.wait()
            return len(server.requests)

    def loading(request: Any, number: int) -> bytes:
        return response(503, b'{"error": {"message": "Loading model"}}') if number < 2 else response(200)

    async with RawServer() as free:
        port = free.port
    starting = asyncio.create_task(late(port))
    asked = served(f"http://127.0.0.1:{port}/v1", replace(QUICK, wait_s=60))
    made = await asyncio.gather(*(asked.generate(request(number)) for number in range(20)))
    done.set()
    assert {each.text for each in made} == {"I am so sorry."}
    assert asked.usage.notices == {}
    assert await starting == 22


async def test_the_wait_for_a_server_ends() -> None:
    async with RawServer() as server:
        gone = server.base_url
    began = time.monotonic()
    (error, *_) = await failures(served(gone, replace(QUICK, wait_s=3)))
    assert 3 <= time.monotonic() - began < 8
    assert re.search(r"did not answer within [3-7] s in \d tries, the last: no connection", str(error))


async def test_what_is_waited_for_is_said_at_the_first_failure() -> None:
    async with RawServer() as server:
        gone = server.base_url
    asked = served(gone, replace(QUICK, wait_s=60))
    waiting = asyncio.create_task(asked.generate(request()))
    await asyncio.sleep(0.5)
    assert asked.usage.notices[gone].startswith(f"{gone} does not answer: no connection (connection refused")
    assert asked.usage.notices[gone].endswith("it is asked again, for up to 60 s")
    waiting.cancel()


async def test_after_the_first_answer_the_same_is_an_outage() -> None:
    def script(request: Any, number: int) -> bytes:
        return response(200, LOGIN) if 0 < number < 6 else response(200)

    async with RawServer(script) as server:
        asked = served(server.base_url, replace(QUICK, retries=6))
        assert [(await asked.generate(request(number))).text for number in range(2)] == ["I am so sorry."] * 2
        assert asked.usage.retries["malformed"] == 5


async def test_a_refusal_of_the_conversation_is_no_word_on_the_endpoint() -> None:
    def script(request: Any, number: int) -> bytes:
        long = len(request.body) > 1000
        return response(400, b'{"error": {"message": "maximum context length is 9"}}') if long else response(200)

    async with RawServer(script) as server:
        asked = served(server.base_url)
        long = GenerationRequest("long", (Message("user", "x" * 1000),), seed=1)
        with pytest.raises(EndpointError, match="longer than m") as caught:
            await asked.generate(long)
        assert not caught.value.never_answered
        assert (await asked.generate(request())).text


async def test_an_unknown_model_is_final_for_itself_alone() -> None:
    async with ScriptedServer(models=("m",)) as server:
        endpoint = Endpoint(server.base_url, limits=QUICK)
        known, unknown = ServedChatModel(endpoint, "m"), ServedChatModel(endpoint, "n")
        both: list[Awaitable[Any]] = [each.generate(request(n)) for n in range(8) for each in (unknown, known)]
        done = await asyncio.gather(*both, return_exceptions=True)
        assert [type(each).__name__ for each in done] == ["EndpointError", "Generation"] * 8
        assert server.answered == 8
    assert unknown.usage.failed == 8


def test_an_endpoint_that_was_given_up_is_asked_again_after_a_while() -> None:
    contact = FirstContact("http://x/v1")
    for _ in range(3):
        contact.failed(TransientError("no connection", sign="absent"), 0.0)
    with pytest.raises(EndpointError, match="did not answer in 4 tries"):
        contact.failed(TransientError("no connection", sign="absent"), 2.0)
    with pytest.raises(EndpointError, match="did not answer in 4 tries") as caught:
        contact.check("m", 31.0)
    assert caught.value.never_answered
    contact.check("m", 33.0)
    assert contact.failed(TransientError("no connection", sign="absent"), 33.0) == 0.25


async def test_a_key_that_is_refused_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-CANARY-0123456789")
    body = json.dumps({"error": {"message": "Incorrect API key provided: sk-CANARY-0123456789"}}).encode()
    async with RawServer(status(401, body)) as server:
        asked = ServedChatModel(Endpoint(server.base_url, ApiKey("MY_KEY"), QUICK), "m")
        cause = await one_cause(asked)
        assert len(server.requests) == 1
    assert "refuses the key in MY_KEY (401)" in cause
    assert "CANARY" not in cause


@pytest.mark.parametrize("number", [200, 201, 202, 203, 207])
async def test_an_answer_may_come_with_another_status_of_success(number: int) -> None:
    async with RawServer(status(number, GOOD)) as server:
        assert (await served(server.base_url).generate(request())).text == "I am so sorry."


async def test_a_redirect_within_the_same_server_is_followed() -> None:
    def script(request: Any, number: int) -> bytes:
        if request.path.endswith("/chat/completions"):
            return response(307, b"", Location="/v1/chat/completions/")
        return response(200)

    async with RawServer(script) as server:
        assert (await served(server.base_url).generate(request())).text == "I am so sorry."
        assert [each.method for each in server.requests] == ["POST", "POST"]
        assert server.requests[0].body == server.requests[1].body
    circle: Script = lambda request, number: response(307, b"", Location=request.path)  # noqa: E731
    async with RawServer(circle) as server:
        assert "redirects (307) in circles" in await one_cause(served(server.base_url))
