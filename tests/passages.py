"""Passages as tests write them."""

from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import Passage


def dialogue(*texts: str) -> Passage:
    """What the user and the assistant say in turn, the user first."""
    return Passage(tuple(Message("assistant" if place % 2 else "user", text) for place, text in enumerate(texts)))


def exchange(user: str, reply: str) -> Passage:
    """One message and the reply to it."""
    return dialogue(user, reply)


def reply_of(passage: Passage) -> str:
    """The reply that is rated."""
    return passage.messages[-1].content
