"""The faults that the scripted server knows by name."""

from __future__ import annotations

from typing import Literal

Fault = Literal[
    "429 seconds",  # too many requests, Retry-After in seconds
    "429 date",  # ... as an HTTP date
    "500",  # a JSON error
    "503 html",  # a proxy's page
    "timeout",  # no answer within the client's patience
    "reset",  # RST before the first byte
    "reset midway",  # RST in the middle of the body
    "cut short",  # closed before Content-Length is reached
    "truncated json",  # a complete response, half a document
    "not json",  # 200 with a page
    "no choices",  # JSON of another shape
    "slow drip",  # a right answer, a few bytes at a time
    "restart",  # every connection dies and the port is closed for a while
]
