"""Telegram's export as JSON: one chat, or all under ``chats``; ``messages`` by ``from``, with ``text`` in pieces."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.core.reading.documents import json_documents
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import describe_value
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.formats.document_reader import keys_seen
from holdfast.simulator.logs.formats.people import Remark, check_assistant, two_party
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.protocols import AS_IT_IS, ReadOptions
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.values import id_of

NOBODY = "(no name)"


def recognises(file: Glimpse) -> bool:
    """Whether the values are chats of Telegram."""
    return file.any(lambda value: any(_is_chat(chat) for chat in _chats(value)))


def _is_chat(chat: Mapping[str, Any]) -> bool:
    listed = chat.get("messages")
    if not isinstance(listed, list) or "type" not in chat:
        return False
    marks = {"from_id", "actor_id", "date_unixtime"}
    return any(isinstance(message, Mapping) and marks & message.keys() for message in listed[:50])


def _chats(raw: Any) -> list[Mapping[str, Any]]:
    """Return the chats of a document."""
    if not isinstance(raw, Mapping):
        return []
    chats = raw.get("chats")
    listed = chats.get("list") if isinstance(chats, Mapping) else None
    if isinstance(listed, list):
        return [chat for chat in listed if isinstance(chat, Mapping)]
    return [raw] if isinstance(raw.get("messages"), list) else []


@dataclass(frozen=True, slots=True)
class TelegramReader:
    """Reads chats of two. ``how.assistant``: the assistant's name or id."""

    def read(self, path: Path, how: ReadOptions = AS_IT_IS) -> Iterator[Conversation | SkippedLine]:
        check_assistant(path, how.assistant, _everything(path))
        for document in json_documents(path):
            if isinstance(document, SkippedLine):
                yield document
                continue
            place, raw = document
            chats = _chats(raw)
            if not chats:
                yield SkippedLine(place, "conversation", "no messages", keys_seen(raw))
            for chat in chats:
                yield from _conversation(place, chat, how.assistant)


def _everything(path: Path) -> Iterator[Remark]:
    for document in json_documents(path):
        if not isinstance(document, SkippedLine):
            for chat in _chats(document[1]):
                listed = chat.get("messages")
                yield from _remarks(ConversationDraft(document[0]), listed if isinstance(listed, list) else [])


def _conversation(place: str, chat: Mapping[str, Any], assistant: str) -> Iterator[Conversation | SkippedLine]:
    listed = chat.get("messages")
    draft = ConversationDraft(place)
    remarks = list(_remarks(draft, listed if isinstance(listed, list) else []))
    yield from two_party(draft, id_of(chat.get("id")), remarks, assistant)


def _remarks(draft: ConversationDraft, listed: list[Any]) -> Iterator[Remark]:
    """Yield what people wrote; what Telegram itself reports, such as a call, is said by nobody."""
    for number, message in enumerate(listed, start=1):
        where = f"{draft.place}, message {number}"
        if not isinstance(message, Mapping):
            draft.lose(where, "not a message", describe_value(message))
        elif message.get("type") != "service":
            identity = id_of(message.get("from_id"))
            name = id_of(message.get("from")) or identity or NOBODY
            yield Remark(where, name, {"content": _content(message)}, identity)


def _content(message: Mapping[str, Any]) -> Any:
    """Return the text as parts, links and bold words among them, and what is attached."""
    text = message.get("text")
    parts: list[Any] = text if isinstance(text, list) else [text] if text else []
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    if not all(isinstance(part, str) for part in texts):
        return {"pieces": parts}  # of a shape that nobody knows
    said = "".join(map(str, texts))
    attached = (str(message.get("media_type", key)) for key in ("file", "photo", "sticker_emoji") if key in message)
    kind = next(attached, "")
    if not kind:
        return said
    return [*([{"type": "text", "text": said}] if said else []), {"type": f"{kind} file"}]
