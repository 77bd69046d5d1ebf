"""What LangSmith's client posts, kept: a stand-in for its server on loopback, which reads and believes everything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import zstandard


@dataclass
class Posted:
    """``bodies``: of every request, unpacked; ``keys``: what stood in the header by which LangSmith knows its users."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)

    @property
    def text(self) -> str:
        """All of it."""
        return b"\n".join(self.bodies).decode("utf-8", "replace")


@contextmanager
def langsmith() -> Iterator[Posted]:
    """A server that listens until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = b"".join(self._pieces())
            packed = self.headers["Content-Encoding"] == "zstd"
            posted.bodies.append(zstandard.ZstdDecompressor().decompressobj().decompress(body) if packed else body)
            posted.keys.add(self.headers["x-api-key"])
            self.send_response(202)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def _pieces(self) -> Iterator[bytes]:
            if self.headers["Transfer-Encoding"] != "chunked":
                yield self.rfile.read(int(self.headers["Content-Length"] or 0))
                return
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    posted = Posted(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield posted
    finally:
        server.shutdown()
        server.server_close()
