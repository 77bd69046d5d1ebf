"""What a user agent's intention sounds like: a small grammar of user messages."""

from __future__ import annotations

from typing import Literal

from agents.protocols import Said

Tone = Literal["plain", "warm", "terse", "chatty", "curt"]


def say(said: Said, tone: Tone, seed: int) -> str:
    """One user message of one or two sentences for this intention; the same seed gives the same words."""
    raise NotImplementedError
