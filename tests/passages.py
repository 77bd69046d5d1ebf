"""Passages as tests write them."""

from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import Passage


def exchange(user: str, reply: str) -> Passage:
    """One message and the reply to it."""
    return Passage((Message("user", user), Message("assistant", reply)))


def reply_of(passage: Passage) -> str:
    """The reply that is rated."""
    return passage.messages[-1].content
