"""Recognising what a conversation is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Router(Protocol):
    """Names the task context from the user's side of a conversation; deterministic, holds no state."""

    def recognise(self, user_messages: Sequence[str]) -> str:
        """The id of the task; ``user_messages`` has at least one message, oldest first."""
        ...
