"""An OpenAI-compatible server on a real socket, with a script instead of a model, and faults on demand.

In a test: ``async with ScriptedServer(Faults(0.1, seed=3)) as server: ... server.base_url``. As a process of its own
(it prints its base URL): ``python tests/launch.py tests.servers --fault-rate 0.1 --seed 3``. ``GET /met`` tells how
often each fault was met.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

from tests.servers.answers import Answer, completion, digest, scripted, sentences
from tests.servers.faults import CALM, Faults
from tests.servers.kinds import Fault
from tests.servers.spoilt import SPOILT, refusal, spoilt
from tests.servers.wire import Request, abort, head, read, send


@dataclass
class ScriptedServer:
    """``models``: names that are served besides any; None serves all. ``api_key``: what the client must show."""

    faults: Faults = CALM
    answer: Answer = scripted
    models: tuple[str, ...] | None = None
    api_key: str | None = None
    latency_s: float = 0.0
    patience_s: float = 3.0  # how long a "timeout" keeps the client waiting
    drip_s: float = 0.01  # between the pieces of a "slow drip"
    down_s: float = 0.2  # how long a "restart" keeps the port closed
    retry_after_s: float = 1.0
    context: int | None = None  # most words of a request, after which it answers as OpenAI does
    echo_headers: bool = False  # errors repeat the request's headers, as some proxies do
    port: int = 0
    met: Counter[str] = field(default_factory=Counter)
    requests: list[dict[str, Any]] = field(default_factory=list)  # bodies, in order of arrival, where ``keep``
    keep: bool = False
    answered: int = 0
    busiest: int = 0  # most requests in hand at once

    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _seen: Counter[bytes] = field(default_factory=Counter)
    _in_hand: int = 0
    _restarting: bool = False

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self._go_down()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def restart(self) -> None:
        """Die as a killed process does, and come back on the same port after ``down_s``."""
        if self._restarting:
            return
        self._restarting = True
        await self._go_down()
        await asyncio.sleep(self.down_s)
        await self._listen()
        self._restarting = False

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _go_down(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            abort(writer)

    # --- one connection --------------------------------------------------------------------------------------------

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            while (request := await read(reader)) is not None and await self._serve(request, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the server did
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False where the connection is over."""
        self._in_hand += 1
        self.busiest = max(self.busiest, self._in_hand)
        try:
            status, answer, fault = self._decide(request)
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            if fault is not None:
                self.met[fault] += 1
                return await self._break(fault, request, answer, writer)
            self.answered += status == HTTPStatus.OK
            await send(writer, status, json.dumps(answer).encode(), {})
            return True
        finally:
            self._in_hand -= 1

    def _decide(self, request: Request) -> tuple[int, dict[str, Any], Fault | None]:
        if self.api_key is not None and request.headers.get("authorization") != f"Bearer {self.api_key}":
            said = f"Incorrect API key provided: {request.headers.get('authorization')}."
            return 401, refusal(said, "invalid_api_key"), None
        match request.method, request.path:
            case "POST", "/v1/chat/completions":
                return self._complete(json.loads(request.body))
            case "GET", "/v1/models":
                return 200, {"object": "list", "data": [{"id": name} for name in self.models or ()]}, None
            case "POST", "/v1/load_lora_adapter":
                self.models = (*(self.models or ()), json.loads(request.body)["lora_name"])
                return 200, {"status": "loaded"}, None
            case "GET", "/met":
                return 200, {"met": dict(self.met), "answered": self.answered, "busiest": self.busiest}, None
        return 404, refusal(f"Not Found: {request.path}", None), None

    def _complete(self, body: dict[str, Any]) -> tuple[int, dict[str, Any], Fault | None]:
        if self.keep:
            self.requests.append(body)
        if self.models is not None and body["model"] not in self.models:
            return 404, refusal(f"The model `{body['model']}` does not exist.", "model_not_found"), None
        hashed = digest(body)  # of a long conversation it is most of the work: once is enough
        text = sentences(hashed) if self.answer is scripted else self.answer(body)
        answer = completion(body, text, hashed)
        if self.context is not None and answer["usage"]["prompt_tokens"] > self.context:
            said = f"This model's maximum context length is {self.context} tokens. However, you requested more."
            return 400, refusal(said, "context_length_exceeded"), None
        fault = self.faults.draw(hashed, self._seen[hashed])
        if self.faults.rate:
            self._seen[hashed] += 1
        return 200, answer, fault

    # --- what goes wrong -------------------------------------------------------------------------------------------

    async def _break(
        self, fault: Fault, request: Request, answer: dict[str, Any], writer: asyncio.StreamWriter
    ) -> bool:
        """Let ``fault`` happen; False where it ends the connection."""
        body = json.dumps(answer).encode()
        heard = json.dumps(dict(request.headers)) if self.echo_headers else ""
        if fault in SPOILT:
            await send(writer, *spoilt(fault, body, heard, self.retry_after_s))
            return True
        match fault:
            case "slow drip":
                await self._drip(writer, head(200, len(body)) + body)
                return True
            case "timeout":
                await asyncio.sleep(self.patience_s)
            case "reset midway" | "cut short":
                writer.write(head(200, len(body)) + body[: len(body) // 2])
                await writer.drain()
            case "restart":
                task = asyncio.create_task(self.restart())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        if fault != "cut short":
            abort(writer)
        return False

    async def _drip(self, writer: asyncio.StreamWriter, data: bytes, pieces: int = 12) -> None:
        size = -(-len(data) // pieces)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            await asyncio.sleep(self.drip_s)
