"""UltraChat (Ding et al., EMNLP 2023): ``data`` holds texts, the user's and the assistant's in turn."""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import describe_value
from holdfast.simulator.logs.drafts import ConversationDraft
from holdfast.simulator.logs.formats.document_reader import DocumentReader, keys_seen
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.values import columns_of, id_of


def recognises(file: Glimpse) -> bool:
    """Whether the values hold a list of texts as their data."""
    return file.any(lambda value: _is_texts(value.get("data")))


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], str)


def conversation_of(place: str, raw: Any) -> Iterator[Conversation | SkippedLine]:
    """Yield the conversation of one document, and its unusable parts."""
    listed = raw.get("data") if isinstance(raw, Mapping) else None
    if not isinstance(listed, list):
        yield SkippedLine(place, "conversation", "no data", keys_seen(raw))
        return
    draft = ConversationDraft(place)
    for number, text in enumerate(listed):
        where = f"{place}, message {number + 1}"
        if isinstance(text, str):
            draft.say("assistant" if number % 2 else "user", text, where)
        else:
            draft.lose(where, "not a text", describe_value(text))
    yield from draft.finish(id_of(raw.get("id")), columns=columns_of(raw, frozenset(("data", "id"))))


READER = DocumentReader(conversation_of)
