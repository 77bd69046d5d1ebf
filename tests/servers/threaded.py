"""A server beside code that runs an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from tests.servers.openai_server import ScriptedServer
from tests.servers.raw_server import Proxy, RawServer

AnyServer = TypeVar("AnyServer", ScriptedServer, RawServer, Proxy)


@contextmanager
def running(server: AnyServer) -> Iterator[AnyServer]:
    """``server``, listening in a thread of its own until the block ends."""
    loop, up, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with server:
            up.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.Runner(loop_factory=lambda: loop).run(serve()), daemon=True)
    thread.start()
    assert up.wait(30)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
