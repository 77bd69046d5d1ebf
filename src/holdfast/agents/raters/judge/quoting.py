"""How a rated conversation is put before a judge: as data, between marks that nothing inside it can forge.

Each message is one JSON string on one line, so that a message cannot pretend to end and another to begin. The mark is
taken from the hash of what stands between the marks: whoever writes a reply cannot put the mark of that reply into it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.agents.protocols import Message
from holdfast.core.hashing import sha256

MARK_LENGTH = 12  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Quoted:
    """Messages as lines of JSON, and the mark that they do not hold."""

    text: str
    mark: str


def quote_messages(messages: Sequence[Message]) -> str:
    """One line a message, numbered from 1."""
    return "\n".join(quote_message(n, said) for n, said in enumerate(messages, start=1))


def quote_message(number: int, said: Message) -> str:
    """The line of one of several messages."""
    return json.dumps({"message": number, "from": said.role, "text": said.content}, ensure_ascii=False)


def quote_replies(replies: Sequence[str]) -> str:
    """One line for each of several replies to one conversation, numbered from 1."""
    return "\n".join(json.dumps({"reply": n, "text": text}, ensure_ascii=False) for n, text in enumerate(replies, 1))


def marked(text: str) -> Quoted:
    """``text`` with a mark that does not occur in it; the same text has the same mark."""
    for attempt in range(1000):
        mark = sha256(f"{attempt}\x1f{text}")[:MARK_LENGTH]
        if mark not in text:
            return Quoted(text, mark)
    raise AssertionError("a text that holds a thousand prefixes of its own hashes")
