"""The protocols of a log format's reader and writer."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from holdfast.simulator.logs.records import Conversation, SkippedLine


class LogReader(Protocol):
    """Reads the conversations of a file one by one.

    Bad content never raises: it becomes a :class:`SkippedLine` with its place.

    Raises:
        InputError: the whole file cannot be of this format (absent, a folder, without the columns that it needs).
    """

    def read(self, path: Path) -> Iterator[Conversation | SkippedLine]: ...


class LogWriter(Protocol):
    """Writes conversations one by one, the whole file or none.

    Returns counts, by name, of what the format cannot hold.
    """

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]: ...


@dataclass(frozen=True, slots=True)
class LogFormat:
    """A log format. ``word``: its name for ``--format``; ``by``: the columns that it is grouped by unless asked."""

    word: str
    about: str
    reader: LogReader
    writer: LogWriter
    suffix: str  # of a file that ``holdfast convert`` writes
    by: tuple[str, ...] = ()
