"""Whole chats that the person who chatted labelled afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.agents.protocols import Message
from holdfast.agents.raters.labelled import Labelled
from holdfast.simulator.measure.arrays import Ints


@dataclass(frozen=True, slots=True)
class LabelledChats:
    """n chats. ``labelled``: their labels, whose mean is the truth; ``lengths``: (n) how many characters the replies
    have together; ``bots``: (n) which chatbot, or nothing where nobody knows."""

    labelled: Labelled
    lengths: tuple[int, ...]
    bots: tuple[str, ...] = ()

    def rows(self, chosen: Ints) -> LabelledChats:
        """The chats of these numbers only."""
        at = [int(number) for number in chosen]
        bots = tuple(self.bots[i] for i in at) if self.bots else ()
        return LabelledChats(self.labelled.rows(chosen), tuple(self.lengths[i] for i in at), bots)


def reply_characters(messages: Sequence[Message]) -> int:
    """Characters of all replies of the assistant."""
    return sum(len(message.content) for message in messages if message.role == "assistant")
