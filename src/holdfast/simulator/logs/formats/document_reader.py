"""The reader of all formats whose files are documents, one per conversation: JSON in any arrangement, or Parquet."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.core.reading.documents import json_documents
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import describe_value, quote
from holdfast.simulator.logs.protocols import AS_IT_IS, ReadOptions
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.shapes import is_part


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """Reads documents. ``conversation_of``: (place, document) -> the conversation and its unusable parts."""

    conversation_of: Callable[[str, Any], Iterator[Conversation | SkippedLine]]

    def read(self, path: Path, how: ReadOptions = AS_IT_IS) -> Iterator[Conversation | SkippedLine]:
        for document in json_documents(path, is_part):
            if isinstance(document, SkippedLine):
                yield document
            else:
                yield from self.conversation_of(*document)


def keys_seen(raw: Any) -> str:
    """Return what a document holds instead of a conversation, in words."""
    if isinstance(raw, Mapping):
        names = [quote(str(key))[1:-1] for key in list(raw)[:12]]
        return f"its keys are {', '.join(names)}" if names else "it has no keys"
    return f"it is {describe_value(raw)}"
