"""OpenAI chat and ShareGPT: JSON lines (or an array) with ``messages`` or ``conversations``.

Besides the messages, a line may hold ``id``, ``speaker`` (or ``user``, ``user_id``), ``labels`` (name -> number, of the
whole conversation), ``planned_turns`` and ``end``; a message may hold ``labels``, ``tag`` and ``chars``. Every other
short value of the line, and of its ``metadata``, is a column to group by. This format keeps everything.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.simulator.logs.documents import DocumentReader
from holdfast.simulator.logs.records import Conversation, LogMessage, SkippedLine
from holdfast.simulator.logs.values import columns_of, labels_of, number_of, planned_of, role_of, text_of, word_of
from holdfast.simulator.logs.writing import whole_file

LISTS = ("messages", "conversations", "conversation")
_IDS = ("id", "conversation_id", "session_id", "chat_id")
_SPEAKERS = ("speaker", "user_id", "user", "participant")
_OWN = frozenset((*LISTS, *_IDS, *_SPEAKERS, "labels", "metadata", "planned_turns", "end"))


def conversation_of(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    """Yield the conversation of one document, and its unusable parts."""
    about: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    listed = next((about[key] for key in LISTS if isinstance(about.get(key), list)), raw)
    if not isinstance(listed, list):
        yield SkippedLine(place, "conversation", "no messages", f"expected one of {', '.join(LISTS)}")
        return
    skips: list[SkippedLine] = []
    messages = messages_of(listed, place, skips)
    faults: list[tuple[str, str]] = []
    labels = labels_of(about.get("labels"), faults)
    metadata = about.get("metadata")
    end = about.get("end")
    yield from skips
    yield from (SkippedLine(place, "label", reason, name) for reason, name in faults)
    if not messages:
        yield SkippedLine(place, "conversation", "no messages")
        return
    yield Conversation(
        id=first_word(about, _IDS) or place,
        place=place,
        messages=messages,
        speaker=first_word(about, _SPEAKERS),
        columns=columns_of(metadata if isinstance(metadata, Mapping) else {}) | columns_of(about, _OWN),
        labels=labels,
        planned=planned_of(about.get("planned_turns")),
        end=end if end in ("success", "failure") else "",
    )


READER = DocumentReader(conversation_of)


def first_word(about: Mapping[str, Any], keys: Iterable[str]) -> str:
    """Return the first id among the values of ``keys``."""
    return next((word for key in keys if (word := word_of(about.get(key)))), "")


def messages_of(listed: list[Any], place: str, skips: list[SkippedLine]) -> tuple[LogMessage, ...]:
    """Return the messages of a list; unusable ones are added to ``skips``."""
    messages: list[LogMessage] = []
    for number, raw in enumerate(listed, start=1):
        message = _message(raw, f"{place}, message {number}", skips)
        if message is not None:
            messages.append(message)
    return tuple(messages)


def _message(raw: Any, where: str, skips: list[SkippedLine]) -> LogMessage | None:
    if not isinstance(raw, Mapping):
        skips.append(SkippedLine(where, "message", "not a message"))
        return None
    role = role_of(raw.get("role", raw.get("from")))
    if role is None:
        skips.append(SkippedLine(where, "message", "role is not user, assistant or system"))
        return None
    text = text_of(raw.get("content", raw.get("value")))
    chars = number_of(raw.get("chars"))
    length = int(chars) if chars is not None and 0 <= chars <= 10**9 and not text else None
    if role != "assistant" and not text.strip() and length is None and "labels" not in raw:
        skips.append(SkippedLine(where, "message", "empty message"))  # an empty reply is a turn all the same, unrated
        return None
    if "labels" not in raw and "tag" not in raw:
        return LogMessage(role, text, chars=length)
    faults: list[tuple[str, str]] = []
    labels = labels_of(raw.get("labels"), faults)
    skips.extend(SkippedLine(where, "label", reason, name) for reason, name in faults)
    return LogMessage(role, text, labels, word_of(raw.get("tag")), length)


@dataclass(frozen=True, slots=True)
class MessagesWriter:
    """Writes JSON lines; ``sharegpt`` with ShareGPT's names."""

    sharegpt: bool = False

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]:
        with whole_file(path) as file:
            for conversation in conversations:
                file.write(json.dumps(self._document(conversation), ensure_ascii=False) + "\n")
        return Counter()

    def _document(self, conversation: Conversation) -> dict[str, Any]:
        said = {"user": "human", "assistant": "gpt"} if self.sharegpt else {}
        role, text = ("from", "value") if self.sharegpt else ("role", "content")
        messages = []
        for message in conversation.messages:
            line: dict[str, Any] = {role: said.get(message.role, message.role), text: message.text}
            extra = {"labels": dict(message.labels), "tag": message.tag, "chars": message.chars}
            messages.append(line | {key: value for key, value in extra.items() if value not in ({}, "", None)})
        whole = {
            "speaker": conversation.speaker,
            "labels": dict(conversation.labels),
            "planned_turns": conversation.planned,
            "end": conversation.end,
            "metadata": dict(conversation.columns),
        }
        kept = {key: value for key, value in whole.items() if value not in ({}, "", None)}
        return {"id": conversation.id, **kept, "conversations" if self.sharegpt else "messages": messages}
