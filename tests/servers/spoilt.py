"""The faults that are whole HTTP responses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.servers.kinds import Fault

Response = tuple[int, bytes, dict[str, str]]

SPOILT: frozenset[Fault] = frozenset(
    ("429 seconds", "429 date", "500", "503 html", "truncated json", "not json", "no choices")
)


def refusal(message: str, code: str | None) -> dict[str, Any]:
    """An error as OpenAI words it."""
    return {"error": {"message": message.strip(), "type": "invalid_request_error", "param": None, "code": code}}


def spoilt(fault: Fault, body: bytes, heard: str, wait_s: float) -> Response:
    """Status, body and headers of ``fault`` instead of ``body``; ``heard``: what errors repeat of the request."""
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=wait_s), usegmt=True)
    busy = json.dumps(refusal(f"Rate limit reached. {heard}", "rate_limit")).encode()
    broken = json.dumps(refusal(f"The server had an error. {heard}", "server_error")).encode()
    responses: dict[Fault, Response] = {
        "429 seconds": (429, busy, {"Retry-After": f"{wait_s:g}"}),
        "429 date": (429, busy, {"Retry-After": until}),
        "500": (500, broken, {}),
        "503 html": (503, f"<html><h1>Service Unavailable</h1>{heard}</html>".encode(), {}),
        "truncated json": (200, body[: len(body) // 2], {}),
        "not json": (200, f"<html>Welcome to the proxy. {heard}</html>".encode(), {}),
        "no choices": (200, json.dumps({"id": "x", "choices": [], "heard": heard}).encode(), {}),
    }
    return responses[fault]
