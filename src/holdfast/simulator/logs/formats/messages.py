"""OpenAI chat, ShareGPT and their kin: documents with a list of messages, or lists of messages themselves.

Read too: LMSYS-Chat and WildChat (``conversation``), Gemini (``contents``), LangChain's message dumps. Besides the
messages, a document may hold ``id``, ``speaker`` (or ``user``, ``user_id``), ``labels`` (name -> number, of the whole
conversation), ``planned_turns`` and ``end``; a message may hold ``labels``, ``tag``, ``chars`` and ``missing``. Every
other short value of the document, and of its ``metadata``, is a column to group by. This format keeps everything.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.core.reading.skips import SkippedLine
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.formats.document_reader import DocumentReader, keys_seen
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.shapes import (
    IDS,
    LISTS,
    SPEAKERS,
    first_id,
    is_conversation,
    is_part,
    messages_in,
    speaker_of,
    wrapped_in,
)
from holdfast.simulator.logs.values import columns_of, labels_of, planned_of
from holdfast.simulator.logs.writing import whole_file

_OWN = frozenset((*LISTS, *IDS, *SPEAKERS, "labels", "metadata", "planned_turns", "end"))


def recognises(file: Glimpse) -> bool:
    """Whether the values are documents that hold messages, or messages."""
    if file.any(lambda value: messages_in(value) is not None or is_part(value) or bool(wrapped_in(value))):
        return True
    return any(map(is_conversation, file.values))


def conversation_of(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    """Yield the conversation of one document, and its unusable parts."""
    inner = wrapped_in(raw)
    for number, (name, document) in enumerate(inner, start=1):
        named = {"id": name, "messages": document} if isinstance(document, list) else {"id": name, **document}
        yield from conversation_of(f"{place}, conversation {number}", named if name else document)
    if not inner:
        yield from _conversation(place, raw)


def _conversation(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    about: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    listed = raw if isinstance(raw, list) else messages_in(about)
    if listed is None:
        alone = "a message that names no conversation" if is_part(raw) else "no messages"
        yield SkippedLine(place, "conversation", alone, f"expected one of {', '.join(LISTS)}; {keys_seen(raw)}")
        return
    draft = ConversationDraft(place)
    draft.read(listed)
    faults: list[tuple[str, str]] = []
    labels = labels_of(about.get("labels"), faults)
    draft.fault(place, faults)
    metadata = about.get("metadata")
    end = about.get("end")
    yield from draft.finish(
        first_id(about, IDS),
        speaker=speaker_of(about),
        columns=columns_of(metadata if isinstance(metadata, Mapping) else {}) | columns_of(about, _OWN),
        labels=labels,
        planned=planned_of(about.get("planned_turns")),
        end=end if end in ("success", "failure") else "",
    )


READER = DocumentReader(conversation_of)


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
            extra = {"labels": dict(message.labels), "tag": message.tag, "chars": _number(message.chars)}
            extra |= {"reasoning_content": message.thoughts, "missing": message.missing}
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


def _number(chars: float | None) -> float | None:
    return None if chars is None or math.isnan(chars) else chars
