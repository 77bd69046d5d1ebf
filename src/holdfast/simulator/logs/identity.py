"""Conversations of one id are told and kept apart: the second is called ``id#2``."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import quote
from holdfast.simulator.logs.records import Conversation

MOST_IDS = 4_000_000  # that are remembered, by their hashes


def kept_apart(entries: Iterable[Conversation | SkippedLine]) -> Iterator[Conversation | SkippedLine]:
    """Yield the entries; a conversation whose id an earlier one has gets one of its own and keeps its ``namesake``."""
    seen: set[int] = set()
    counts: dict[str, int] = {}
    for entry in entries:
        if isinstance(entry, SkippedLine):
            yield entry
            continue
        own = entry.id
        if hash(own) in seen:
            while hash(own) in seen:
                counts[entry.id] = counts.get(entry.id, 1) + 1
                own = f"{entry.id}#{counts[entry.id]}"
            yield replace(entry, id=own, namesake=entry.id)
        else:
            yield entry
        if len(seen) < MOST_IDS:
            seen.add(hash(own))


@dataclass
class Namesakes:
    """How many conversations have the id of an earlier one, and the first of them."""

    count: int = 0
    first: str = ""

    def add(self, conversation: Conversation) -> None:
        """Count a conversation, if it is one."""
        if conversation.namesake:
            self.count += 1
            self.first = self.first or f"{quote(conversation.namesake)} at {conversation.place}"

    def __bool__(self) -> bool:
        return self.count > 0

    @property
    def note(self) -> str:
        """What a reader of the numbers must know."""
        many = "conversation has" if self.count == 1 else "conversations have"
        return (
            f"{self.count:,} {many} the id of an earlier one (first {self.first}); they are kept apart: "
            "the second of an id is called id#2"
        )
