"""The reader of all formats whose files are JSON documents, one per conversation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.simulator.logs.files import json_documents
from holdfast.simulator.logs.records import Conversation, SkippedLine


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """Reads JSON documents. ``conversation_of``: (place, document) -> the conversation and its unusable parts."""

    conversation_of: Callable[[str, Any], Iterator[Conversation | SkippedLine]]

    def read(self, path: Path) -> Iterator[Conversation | SkippedLine]:
        for document in json_documents(path):
            if isinstance(document, SkippedLine):
                yield document
            else:
                yield from self.conversation_of(*document)
