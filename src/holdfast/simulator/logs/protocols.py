"""What a format is: a reader, a writer, and a way to tell its files from others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from holdfast.simulator.logs.records import Conversation, SkippedLine


class LogReader(Protocol):
    """Gives the conversations of a file one by one.

    Bad content never raises: it becomes a :class:`SkippedLine` with its place. An :class:`~holdfast.core.errors.InputError` says
    that the file as a whole cannot be this format (absent, a folder, without the columns that it needs).
    """

    def read(self, path: Path) -> Iterator[Conversation | SkippedLine]: ...


class LogWriter(Protocol):
    """Writes conversations one by one, the whole file or none.

    Returns what the format has no place for, counted by its name.
    """

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]: ...


@dataclass(frozen=True, slots=True)
class LogFormat:
    """A word for ``--format``, and what it stands for. ``by``: columns that its data are grouped by unless asked."""

    word: str
    about: str
    reader: LogReader
    writer: LogWriter
    suffix: str  # of a file that ``holdfast convert`` writes
    by: tuple[str, ...] = ()
