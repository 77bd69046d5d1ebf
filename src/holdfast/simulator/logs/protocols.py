"""The protocols of a log format's reader and writer."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from holdfast.core.reading.skips import SkippedLine
from holdfast.simulator.logs.glimpse import Glimpse
from holdfast.simulator.logs.records import Conversation


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a user says of a file. ``columns``: our name -> the file's column; ``assistant``: who is the assistant in a
    log that names people and no roles, "" where nobody said."""

    columns: Mapping[str, str] = field(default_factory=dict)
    assistant: str = ""


AS_IT_IS = ReadOptions()


class LogReader(Protocol):
    """Reads the conversations of a file one by one.

    Bad content never raises: it becomes a :class:`SkippedLine` with its place. A conversation of which something is
    lost is left out as a whole: its neighbours would be paired anew.

    Raises:
        InputError: the whole file cannot be of this format (absent, a folder, without the columns that it needs).
    """

    def read(self, path: Path, how: ReadOptions = AS_IT_IS) -> Iterator[Conversation | SkippedLine]: ...


class LogWriter(Protocol):
    """Writes conversations one by one, the whole file or none.

    Conversations have different ids; what it writes keeps them apart. Returns counts, by name, of what the format
    cannot hold.
    """

    def write(self, conversations: Iterable[Conversation], path: Path) -> Counter[str]: ...


@dataclass(frozen=True, slots=True)
class LogFormat:
    """A log format. ``word``: its name for ``--format``; ``by``: the columns that it is grouped by unless asked.

    ``recognises``: whether a file that begins so is of this format. ``writer``: None for a format that is only read;
    ``suffix``: of a file that ``holdfast convert`` writes. ``people``: whether it names people and no roles, so that
    ``--assistant`` is needed.
    """

    word: str
    about: str
    reader: LogReader
    recognises: Callable[[Glimpse], bool]
    writer: LogWriter | None = None
    suffix: str = ""
    by: tuple[str, ...] = ()
    people: bool = False
