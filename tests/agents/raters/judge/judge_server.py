"""A chat server on a real socket that answers as a script says: what a judge may meet, one answer a behaviour."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from holdfast.agents.models.served.endpoint import Endpoint, EndpointLimits
from holdfast.agents.models.served.model import ServedChatModel

DIMENSIONS = re.compile(r"on: ([a-z_0-9, ]+)\.")


@dataclass(frozen=True)
class Asked:
    """A request as the script sees it: the mark of its question, the dimensions in order, whether it is a repair."""

    body: dict[str, Any]

    @property
    def messages(self) -> list[dict[str, str]]:
        return list(self.body["messages"])

    @property
    def mark(self) -> str:
        return re.findall(r"^([0-9a-f]{12}) begin$", self.messages[1]["content"], re.MULTILINE)[0]

    @property
    def dimensions(self) -> list[str]:
        return DIMENSIONS.findall(self.messages[1]["content"])[0].split(", ")

    @property
    def repair(self) -> bool:
        return len(self.messages) > 2

    @property
    def conversation(self) -> list[dict[str, Any]]:
        text = self.messages[1]["content"].split(" begin\n")[1].split(f"\n{self.mark} end")[0]
        return [json.loads(line) for line in text.splitlines()]

    def valid(self, score: float = 1, **more: object) -> str:
        return json.dumps({"id": self.mark, **more, **dict.fromkeys(self.dimensions, score)})


@dataclass(frozen=True)
class Answer:
    text: str
    finish: str = "stop"
    status: int = 200


Script = Callable[[Asked], Answer | str]


@dataclass
class Server:
    url: str
    asked: list[Asked] = field(default_factory=list)

    @property
    def model(self) -> ServedChatModel:
        """Asks it once, and leaves it alone where it is gone."""
        limits = EndpointLimits(timeout_s=10, retries=0, patience_s=2)
        return ServedChatModel(Endpoint(self.url, limits=limits), "scripted")


@contextmanager
def serve(script: Script) -> Iterator[Server]:
    """An OpenAI-compatible endpoint that answers with ``script``; its requests are kept in order of arrival."""
    server: Server

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = Asked(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            server.asked.append(asked)
            given = script(asked)
            answer = given if isinstance(given, Answer) else Answer(given)
            body = json.dumps(_completion(answer) if answer.status == 200 else {"error": {"message": answer.text}})
            data = body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = _Quiet(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{http.server_address[1]}/v1")
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


class _Quiet(ThreadingHTTPServer):
    """Clients that leave without a word are no news."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _completion(answer: Answer) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.text}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish, "logprobs": None}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
