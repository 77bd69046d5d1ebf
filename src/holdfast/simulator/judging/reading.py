"""Conversations of any log that ``measure`` reads -> passages to rate. What holds none is told with its place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.agents.raters.protocol import Passage
from holdfast.core.errors import Fault
from holdfast.core.reading.skips import SkippedLine
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.sources import LogSource, read_all
from holdfast.simulator.logs.turns import Turns, passages_of, turns_of

_LOST = ("file", "line", "conversation")  # kinds of what holds no passage; labels and tools' messages are none


@dataclass(frozen=True, slots=True)
class SourcedPassage:
    """A passage and where it stands: file, line from 1 (0 where the log has no lines), conversation, and the turn of
    the rated reply from 1."""

    file: str
    line: int
    turn: int
    passage: Passage
    conversation: str

    @property
    def rated(self) -> str:
        """The text that is rated: the reply, or for a whole dialogue all that the assistant said."""
        if not self.passage.whole:
            return self.passage.messages[-1].content
        return "\n".join(message.content for message in self.passage.messages if message.role == "assistant")


def read_passages(sources: Sequence[LogSource], *, whole: bool = False) -> Iterator[SourcedPassage | Fault]:
    """Yield every reply of the assistant to a user (or every dialogue, ``whole``), and a fault for what holds none.

    Only user and assistant messages are shown to a rater: a system prompt may say what the assistant was to do.

    Raises:
        InputError: a file cannot be read.
    """
    for entry in read_all(sources):
        if isinstance(entry, Conversation):
            yield from _passages(entry, whole)
        elif entry.kind in _LOST:
            yield _fault(entry)


def _fault(skip: SkippedLine) -> Fault:
    file, line = _place(skip.place)
    return Fault(file, skip.reason + (f" ({skip.detail})" if skip.detail else ""), line or None)


def _place(place: str) -> tuple[str, int]:
    """Return the file and the line of a place; line 0 where it names none."""
    file, _, rest = place.rpartition(":")
    number = rest.partition(",")[0]
    return (file, int(number)) if file and number.isdecimal() else (place, 0)


def _passages(conversation: Conversation, whole: bool) -> Iterator[SourcedPassage | Fault]:
    turns = turns_of(conversation.messages)
    file, line = _place(conversation.place)
    numbered = list(enumerate(passages_of(turns), start=1))
    rated = [(number, passage) for number, passage in numbered if passage.messages[-1].content.strip()]
    if not rated:
        yield Fault(file, f"holds no reply of an assistant to a user{_why(turns)}", line or None)
    elif whole:
        number, passage = rated[-1]
        yield SourcedPassage(file, line, number, Passage(passage.messages, whole=True), conversation.id)
    else:
        yield from (SourcedPassage(file, line, number, passage, conversation.id) for number, passage in rated)


def _why(turns: Turns) -> str:
    causes = dict.fromkeys(turn.missing for turn in turns.turns if turn.missing)
    return f" ({', '.join(causes)})" if causes else ""
