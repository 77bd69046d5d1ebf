"""Convert any log format into any other, one conversation at a time."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.core.errors import InputError
from holdfast.core.reading.skips import SkippedLine
from holdfast.simulator.logs.identity import Namesakes
from holdfast.simulator.logs.protocols import LogFormat
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.sources import LogSource, read_all
from holdfast.simulator.logs.tallies import Tallies


@dataclass
class Converted:
    """Counts of what was written, skipped while reading, and left out because the new format cannot hold it."""

    conversations: int = 0
    messages: int = 0
    skipped: Tallies = field(default_factory=Tallies)
    left_out: Counter[str] = field(default_factory=Counter)
    namesakes: Namesakes = field(default_factory=Namesakes)


def convert_files(
    sources: Sequence[LogSource],
    target: LogFormat,
    out: Path,
    progress: Callable[[int, int], None] = lambda _conversations, _messages: None,
) -> Converted:
    """Write the conversations of ``sources`` to ``out``.

    Raises:
        InputError: none could be read, or ``out`` cannot be written.
    """
    if any(source.path.resolve() == out.resolve() for source in sources):
        raise InputError(f"{out}: is read and would be overwritten; choose another --out")
    done = Converted()

    def counted() -> Iterator[Conversation]:
        for entry in read_all(sources):
            if isinstance(entry, SkippedLine):
                done.skipped.skip(entry)
                continue
            done.conversations += 1
            done.namesakes.add(entry)
            done.messages += len(entry.messages)
            progress(done.conversations, done.messages)
            yield entry

    writer = target.writer
    if writer is None:
        raise InputError(f"the format {target.word} is only read; choose another --to")
    done.left_out = writer.write(_not_empty(counted(), sources, done), out)
    return done


def _not_empty(
    conversations: Iterator[Conversation], sources: Sequence[LogSource], done: Converted
) -> Iterator[Conversation]:
    """Yield the conversations; raise an InputError instead of writing an empty file."""
    yield from conversations
    if not done.conversations:
        first = next(iter(done.skipped.places.values()), ["nothing in it"])[0]
        names = ", ".join(str(source.path) for source in sources)
        raise InputError(f"{names}: no conversation could be read ({first}); is --format right?")
