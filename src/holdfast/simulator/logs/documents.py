"""The reader of every format whose files are JSON documents, a conversation each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.simulator.logs.files import json_documents
from holdfast.simulator.logs.records import Conversation, SkippedLine


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """``conversation_of`` takes a place and a document, and gives the conversation and what of it could not be used."""

    conversation_of: Callable[[str, Any], Iterator[Conversation | SkippedLine]]

    def read(self, path: Path) -> Iterator[Conversation | SkippedLine]:
        for found in json_documents(path):
            if isinstance(found, SkippedLine):
                yield found
            else:
                yield from self.conversation_of(*found)
