"""The protocol of routers, which recognise the task of a conversation."""

from collections.abc import Sequence
from typing import Protocol


class Router(Protocol):
    """Recognises the task context from the user's messages; deterministic, without state."""

    def recognise(self, user_messages: Sequence[str]) -> str:
        """Return the task's id; ``user_messages`` has at least one message, oldest first."""
        ...
