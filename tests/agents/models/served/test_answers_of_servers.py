"""Answers that are none, are too large, or ask for other fields: against a server whose bytes are the test's own."""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
import zlib
from typing import Any

import pytest

from holdfast.agents.models.served.body import MOST_BYTES
from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
from holdfast.agents.models.served.failures import EndpointError
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.protocols import GenerationRequest, Message
from tests.servers.raw_server import GOOD, RawServer, Script, response
from tests.servers.wire import Request

LIMITS = EndpointLimits(timeout_s=20, patience_s=20, retries=2)


def served(server: RawServer, limits: EndpointLimits = LIMITS, **more: Any) -> ServedChatModel:
    return ServedChatModel(Endpoint(server.base_url, limits=limits), "m", **more)


def request(number: int = 0) -> GenerationRequest:
    return GenerationRequest(f"c{number}", (Message("user", f"I feel torn, {number}."),), seed=number)


def bodies(server: RawServer) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in server.requests]


# --- errors inside a 200 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"error": {"message": "no credit left", "code": 402}}, r"answers 200 with an error \(402\): no credit left"),
        ({"error": {"message": "bad key", "code": "invalid_api_key"}}, r"\(invalid_api_key\): bad key"),
        ({"error": "model 'm' not found"}, r"\(without a code\): model 'm' not found"),
        ({"object": "error", "message": "prompt is too long", "code": 400}, r"\(400\): prompt is too long"),
        ({"code": "InvalidApiKey", "message": "no such key"}, r"\(InvalidApiKey\): no such key"),
        ({"success": False, "errors": [{"code": 401, "message": "who?"}]}, r"answers 200 with an error .*: who\?"),
        (
            {"base_resp": {"status_code": 1004, "status_msg": "authentication failed"}},
            r"\(1004\): authentication failed",
        ),
        ({"detail": "Invalid request: no such field"}, r"\(without a code\): Invalid request"),
        (
            {"error": {"message": f"{'Dear customer. ' * 30}prompt is too long", "code": 400}},
            r"\(400\): Dear customer",
        ),
    ],
)
async def test_a_permanent_error_inside_a_200_is_told_in_its_words(answer: dict[str, Any], says: str) -> None:
    async with RawServer(lambda request, number: response(200, json.dumps(answer).encode())) as server:
        with pytest.raises(EndpointError, match=says):
            await served(server).generate(request())
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({"error": {"message": "overloaded upstream", "code": 502}}, "502"),
        ({"error": {"message": "Rate limit reached", "type": "rate_limit_error"}}, "429"),
        ({"choices": [{"error": {"message": "provider timeout", "code": 504}, "message": {"content": ""}}]}, "504"),
        ({"error": "something broke"}, "500"),
    ],
)
async def test_a_passing_error_inside_a_200_is_tried_again(answer: dict[str, Any], cause: str) -> None:
    def script(request: Request, number: int) -> bytes:
        return response(200, GOOD if number else json.dumps(answer).encode())

    async with RawServer(script) as server:
        asked = served(server)
        assert (await asked.generate(request())).text == "I am so sorry."
        assert asked.usage.retries == {cause: 1}


@pytest.mark.parametrize("extra", [{"error": None}, {"error": {}}, {"message": None, "detail": ""}, {"errors": []}])
async def test_an_answer_with_an_empty_error_is_an_answer(extra: dict[str, Any]) -> None:
    body = json.dumps(json.loads(GOOD) | extra).encode()
    async with RawServer(lambda request, number: response(200, body)) as server:
        assert (await served(server).generate(request())).text == "I am so sorry."


# --- sizes ------------------------------------------------------------------------------------------------------------


def large(size: int) -> bytes:
    return json.dumps({"choices": [{"message": {"content": "a" * size}}]}).encode()


@pytest.mark.parametrize("packing", ["identity", "gzip", "deflate", "raw deflate"])
async def test_a_packed_answer_is_unpacked(packing: str) -> None:
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = {
        "identity": GOOD,
        "gzip": gzip.compress(GOOD[:20]) + gzip.compress(GOOD[20:]),
        "deflate": zlib.compress(GOOD),
        "raw deflate": raw.compress(GOOD) + raw.flush(),
    }[packing]
    name = packing.removeprefix("raw ")
    async with RawServer(lambda request, number: response(200, packed, Content_Encoding=name)) as server:
        assert (await served(server).generate(request())).text == "I am so sorry."
        assert server.requests[0].headers["accept-encoding"] == "gzip, deflate"


def bomb() -> bytes:
    """Two gigabytes of one letter in two megabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(b"a" * (1 << 20)) for _ in range(2000)]
    return b"".join([*parts, packer.flush()])


async def test_no_answer_is_read_or_unpacked_past_its_bound() -> None:
    packed = bomb()
    scripts: list[Script] = [
        lambda request, number: response(200, large(MOST_BYTES)),
        lambda request, number: response(500, large(MOST_BYTES)),
        lambda request, number: response(200, packed, Content_Encoding="gzip"),
    ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for script in scripts:
        async with RawServer(script) as server:
            with pytest.raises(EndpointError, match="larger than 4 MB, and was not read further"):
                await served(server).generate(request())
            assert len(server.requests) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KB


async def test_an_answer_without_end_is_left() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        block = b"%x\r\n" % (1 << 16) + b"a" * (1 << 16) + b"\r\n"
        while not writer.is_closing():
            writer.write(block)
            await writer.drain()

    async with await asyncio.start_server(endless, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        with pytest.raises(EndpointError, match="larger than 4 MB"):
            await ServedChatModel(Endpoint(url, limits=LIMITS), "m").generate(request())


async def test_one_answer_that_is_too_large_leaves_the_others() -> None:
    def script(request: Request, number: int) -> bytes:
        return response(200, large(MOST_BYTES) if number == 1 else GOOD)

    async with RawServer(script) as server:
        asked = served(server)
        done = [await asyncio.gather(asked.generate(request(n)), return_exceptions=True) for n in range(3)]
    assert [type(each).__name__ for (each,) in done] == ["Generation", "EndpointError", "Generation"]


@pytest.mark.parametrize("packing", ["br", "zstd", "gzip"])
async def test_an_answer_that_cannot_be_unpacked_says_so(packing: str) -> None:
    async with RawServer(lambda request, number: response(200, b"no gzip", Content_Encoding=packing)) as server:
        with pytest.raises(EndpointError, match=r"malformed \((packed as|its gzip cannot be unpacked)"):
            await served(server).generate(request())


@pytest.mark.parametrize("depth", [1000, 100_000])
async def test_a_deep_error_is_told_like_any_other(depth: int) -> None:
    async with RawServer(lambda request, number: response(400, b"[" * depth + b"]" * depth)) as server:
        with pytest.raises(EndpointError, match=r"refuses the request to m \(400\)"):
            await served(server).generate(request())
    async with RawServer(lambda request, number: response(400, b"<" * 3_000_000)) as server:
        with pytest.raises(EndpointError, match=r"refuses the request to m \(400\)"):
            await served(server).generate(request())


# --- Retry-After ------------------------------------------------------------------------------------------------------


async def test_a_plea_to_wait_holds_for_all_whatever_is_answered_meanwhile() -> None:
    """The ninth request is asked to wait for 2 s while others are in flight, which are answered half a second later."""
    loop = asyncio.get_running_loop()
    arrivals: list[float] = []
    pleaded = 0.0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal pleaded
        try:
            while True:
                top = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(top.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
                arrivals.append(loop.time())
                if len(arrivals) == 9:
                    pleaded = loop.time()
                    writer.write(response(429, b"{}", Retry_After="2"))
                else:
                    await asyncio.sleep(0.5)
                    writer.write(response(200))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        asked = ServedChatModel(Endpoint(url, limits=EndpointLimits(concurrency=8, retries=6)), "m")
        await asyncio.gather(*(asked.generate(request(number)) for number in range(40)))
    late = [arrival for arrival in arrivals if arrival > pleaded + 0.05]
    assert min(late) >= pleaded + 1.9
    assert asked.usage.failed == 0


# --- fields -----------------------------------------------------------------------------------------------------------


async def test_null_in_extra_leaves_a_field_out() -> None:
    async with RawServer() as server:
        extra = {"seed": None, "max_tokens": None, "max_completion_tokens": 64, "top_k": 5}
        await served(server, extra=extra).generate(request())
        (body,) = bodies(server)
    assert set(body) == {"model", "messages", "temperature", "top_p", "max_completion_tokens", "top_k"}
    assert body["max_completion_tokens"] == 64


def refusing(field: str, message: str) -> Script:
    """What OpenAI says where ``field`` is not taken."""

    def script(request: Request, number: int) -> bytes:
        said = {"error": {"message": message, "type": "invalid_request_error", "param": field}}
        return response(400, json.dumps(said).encode()) if field in json.loads(request.body) else response(200)

    return script


async def test_a_length_is_sent_under_the_name_that_the_server_wants() -> None:
    said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    async with RawServer(refusing("max_tokens", said)) as server:
        asked = served(server)
        await asyncio.gather(*(asked.generate(request(number)) for number in range(5)))
        sent = bodies(server)
    assert len(sent) == 6  # the first is refused, and teaches the others
    assert {body.get("max_completion_tokens") for body in sent[1:]} == {sent[0]["max_tokens"]}
    assert asked.usage.notices == {}


async def test_a_temperature_that_is_not_taken_is_left_out_and_told() -> None:
    said = "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) is supported."
    async with RawServer(refusing("temperature", said)) as server:
        asked = served(server)
        await asked.generate(request())
        sent = bodies(server)
    assert ["temperature" in body for body in sent] == [True, False]
    (notice,) = asked.usage.notices.values()
    assert notice.startswith("m does not take 'temperature': it is left out, and the model's own default holds")


async def test_another_field_that_is_not_taken_is_named_with_what_to_write() -> None:
    detail = [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]
    answer = json.dumps({"object": "error", "message": {"detail": detail}}).encode()
    async with RawServer(lambda request, number: response(422, answer)) as server:
        with pytest.raises(EndpointError, match=r"to leave that field out, write extra: \{seed: null\}"):
            await served(server).generate(request())


async def test_a_value_out_of_range_is_no_field_that_is_not_taken() -> None:
    said = "max_tokens is too large: 5000. This model supports at most 4096 completion tokens."
    async with RawServer(refusing("max_tokens", said)) as server:
        with pytest.raises(EndpointError, match="too large") as caught:
            await served(server).generate(request())
    assert caught.value.field is None
