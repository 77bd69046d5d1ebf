"""A server whose every byte is a test's own, with TLS where it is asked for, and a proxy in front of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.servers.wire import Request, head, read

CERTIFICATE = Path(__file__).with_name("localhost_certificate.pem")  # for 127.0.0.1, localhost and model.test
KEY = CERTIFICATE.with_name("localhost_key.pem")

Script = Callable[[Request, int], bytes | None]
"""The bytes of the answer to a request, given how many came before it; None never answers."""

GOOD = b'{"choices": [{"message": {"role": "assistant", "content": "I am so sorry."}, "finish_reason": "stop"}]}'


def response(status: int, body: bytes = GOOD, **headers: str) -> bytes:
    """A whole response; underscores in the names of headers stand for hyphens."""
    return head(status, len(body), {name.replace("_", "-"): value for name, value in headers.items()}) + body


@dataclass
class RawServer:
    """Answers as ``script`` says; ``requests`` are kept in the order of their arrival."""

    script: Script = lambda request, number: response(200)
    tls: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    requests: list[Request] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}/v1"

    async def __aenter__(self) -> Self:
        context = None
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE, KEY)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._connection, self.host, self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (request := await read(reader)) is not None:
                self.requests.append(request)
                answer = self.script(request, len(self.requests) - 1)
                if answer is None:
                    await asyncio.sleep(3600)
                    continue
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()


@dataclass
class Proxy:
    """Takes requests for any address, and tunnels for ``CONNECT``; all of them lead to the port ``to``."""

    to: int
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            request = await read(reader)
            assert request is not None
            self.requests.append(request)
            if request.method != "CONNECT":
                writer.write(response(200))
                await writer.drain()
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.to)
            await asyncio.gather(_pipe(reader, there_writer), _pipe(there_reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
