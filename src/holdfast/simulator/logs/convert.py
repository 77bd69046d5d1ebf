"""Any format into any other, one conversation at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.core.errors import InputError
from holdfast.simulator.logs.measure import LogSource, read_all
from holdfast.simulator.logs.measuring import Tallies
from holdfast.simulator.logs.protocols import LogFormat
from holdfast.simulator.logs.records import Conversation, SkippedLine


@dataclass
class Converted:
    """What was written, what was skipped while reading, and what the new format has no place for."""

    conversations: int = 0
    messages: int = 0
    skipped: Tallies = field(default_factory=Tallies)
    left_out: Counter[str] = field(default_factory=Counter)


def convert_files(
    sources: Sequence[LogSource],
    target: LogFormat,
    out: Path,
    progress: Callable[[int, int], None] = lambda _conversations, _messages: None,
) -> Converted:
    """Write the conversations of ``sources`` to ``out``. Raises InputError where none could be read or written."""
    if any(source.path.resolve() == out.resolve() for source in sources):
        raise InputError(f"{out}: is read and would be overwritten; choose another --out")
    done = Converted()

    def through() -> Iterator[Conversation]:
        for one in read_all(sources):
            if isinstance(one, SkippedLine):
                done.skipped.skip(one)
                continue
            done.conversations += 1
            done.messages += len(one.messages)
            progress(done.conversations, done.messages)
            yield one

    done.left_out = target.writer.write(_not_empty(through(), sources, done), out)
    return done


def _not_empty(
    conversations: Iterator[Conversation], sources: Sequence[LogSource], done: Converted
) -> Iterator[Conversation]:
    """The conversations; an InputError instead of an empty file."""
    yield from conversations
    if not done.conversations:
        first = next(iter(done.skipped.places.values()), ["nothing in it"])[0]
        names = ", ".join(str(source.path) for source in sources)
        raise InputError(f"{names}: no conversation could be read ({first}); is --format right?")
