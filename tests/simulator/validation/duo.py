"""DUO as validation reads it: chats of people with GPT-4o and Llama-70B, and how empathic the people found them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import Passage
from holdfast.simulator.measure.arrays import Floats, Ints

DUO = Path("duo") / "conversations.jsonl"


@dataclass(frozen=True, slots=True)
class DuoChats:
    """``empathy``: (chats,) what the person said, 1-5; ``persons``: (chats,) the person's number from 0."""

    passages: tuple[Passage, ...]
    empathy: Floats
    persons: Ints

    @property
    def reply_chars(self) -> Floats:
        """(chats,) characters of all replies."""
        replies = [[m.content for m in passage.messages if m.role == "assistant"] for passage in self.passages]
        return np.array([sum(map(len, own)) for own in replies], dtype=np.float64)


def read_duo(data: Path) -> DuoChats:
    """Read the chats in a folder of data sets. Each look at their labels counts, and stands in docs/LOG.md."""
    chats = [json.loads(line) for line in (data / DUO).read_text(encoding="utf-8").splitlines()]
    return DuoChats(
        tuple(Passage(tuple(Message(m["role"], m["content"]) for m in chat["messages"]), whole=True) for chat in chats),
        np.array([chat["user_empathy"] for chat in chats], dtype=np.float64),
        person_numbers([chat["user_id"] for chat in chats]),
    )


def person_numbers(people: Sequence[str]) -> Ints:
    """Each person's number, from 0 in the order of their names."""
    return np.unique(np.asarray(people), return_inverse=True)[1].astype(np.int64)
