"""Plain ``messages`` JSONL -> passages to rate. A line that is no conversation is told with its number, not fatal."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from holdfast.agents.protocols import Message, Role
from holdfast.agents.raters.protocol import Passage
from holdfast.core.errors import Fault, InputError
from holdfast.core.wording import describe_value, did_you_mean, printable


@dataclass(frozen=True, slots=True)
class SourcedPassage:
    """A passage and where it stands: file, line from 1, and the turn of the rated reply from 1."""

    file: str
    line: int
    turn: int
    passage: Passage

    @property
    def conversation(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def rated(self) -> str:
        """The text that is rated: the reply, or for a whole dialogue all that the assistant said."""
        if not self.passage.whole:
            return self.passage.messages[-1].content
        return "\n".join(message.content for message in self.passage.messages if message.role == "assistant")


def read_passages(path: Path, *, whole: bool = False) -> Iterator[SourcedPassage | Fault]:
    """Every reply of the assistant to a user (or every dialogue, ``whole``), and a fault for each line without any.

    Only user and assistant messages are shown to a rater: a system prompt may say what the assistant was to do.
    Raises :class:`InputError` where the file cannot be read.
    """
    name = printable(str(path))
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield from _passages(name, number, line, whole)
    except FileNotFoundError:
        near = did_you_mean(
            path.name, [sibling.name for sibling in path.parent.iterdir()] if path.parent.is_dir() else []
        )
        raise InputError([Fault(name, f"no such file{near}; check the path")]) from None
    except OSError as error:
        raise InputError([Fault(name, f"cannot be read: {error.strerror}; give a file of messages JSONL")]) from None


def _passages(name: str, number: int, line: str, whole: bool) -> Iterator[SourcedPassage | Fault]:
    messages = _messages(line)
    if isinstance(messages, str):
        yield Fault(name, messages, number)
        return
    turn, passages = 0, []
    for index, message in enumerate(messages):
        if message.role == "assistant" and message.content.strip() and index and messages[index - 1].role == "user":
            turn += 1
            passages.append(SourcedPassage(name, number, turn, Passage(tuple(messages[: index + 1]))))
    if not passages:
        yield Fault(name, "holds no reply of an assistant to a user", number)
    elif whole:
        yield SourcedPassage(name, number, turn, Passage(tuple(messages), whole=True))
    else:
        yield from passages


def _messages(line: str) -> list[Message] | str:
    """The user's and the assistant's messages, or what is wrong with the line."""
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return 'is no JSON object; expected one conversation a line, {"messages": [...]}'
    lines = read.get("messages") if isinstance(read, dict) else None
    if not isinstance(lines, list):
        return f'has no list under "messages" ({describe_value(read)}); convert it to OpenAI\'s messages format first'
    messages = []
    for at, message in enumerate(lines, start=1):
        text = _text(message.get("content")) if isinstance(message, dict) else None
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            return f"message {at} has no role"
        if message["role"] in {"user", "assistant"} and text is not None:
            messages.append(Message(cast(Role, message["role"]), text))
    return messages


def _text(content: Any) -> str | None:
    """A message's text, whether it stands as such or in parts; None where it holds none (a call of a tool)."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    return "\n".join(part for part in parts if isinstance(part, str)) if parts else None
