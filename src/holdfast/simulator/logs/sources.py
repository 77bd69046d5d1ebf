"""Files, folders of files and run folders, each file with its format."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from holdfast.core.errors import Fault, InputError
from holdfast.core.reading.opening import check_packed, head_of
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import printable
from holdfast.simulator.journal.store import JOURNAL
from holdfast.simulator.logs.formats.table import columns_option
from holdfast.simulator.logs.glimpse import glimpse
from holdfast.simulator.logs.identity import kept_apart
from holdfast.simulator.logs.protocols import AS_IT_IS, LogFormat, ReadOptions
from holdfast.simulator.logs.records import Conversation
from holdfast.simulator.logs.registry import format_named, recognise

MOST_FILES = 20_000  # of a folder
DEEPEST = 8  # folders within folders


@dataclass(frozen=True, slots=True)
class LogSource:
    """A file and how it is read. ``name``: as it is shown. A file ``of_folder`` that cannot be read is passed over and
    told; ``unread``: why."""

    path: Path
    format: LogFormat
    how: ReadOptions = AS_IT_IS
    name: str = ""
    of_folder: bool = False
    unread: SkippedLine | None = None


def open_sources(
    paths: Sequence[Path], word: str | None = None, columns: str | None = None, assistant: str | None = None
) -> list[LogSource]:
    """Return each file with its format: the one named, or the one that is recognised. A folder gives its files.

    Raises:
        InputError: an unknown word, a file that is not there, is empty, or whose format cannot be recognised, a folder
            without any file that can be read, or an option that the format does not take.
    """
    named = None if word is None else format_named(word)
    if columns is not None:
        if named is not None and named.word != "csv":
            raise InputError(f"--columns names the columns of a table; the format {named.word} knows its own")
        named = format_named("csv")
    how = ReadOptions(columns_option(columns) if columns else {}, assistant or "")
    sources: list[LogSource] = []
    for path in paths:
        if path.is_dir() and not (path / JOURNAL).exists() and not _lacks_journal(path, named):
            sources += _of_folder(path, named, how)
        else:
            sources.append(_of_file(path, named, how))
    if assistant and not any(source.format.word in ("csv", "sdialog") or source.format.people for source in sources):
        words = ", ".join(dict.fromkeys(source.format.word for source in sources))
        raise InputError(f"--assistant names who is the assistant where a log says no roles; {words} says them")
    return _named(sources)


def _of_file(path: Path, named: LogFormat | None, how: ReadOptions) -> LogSource:
    if path.is_dir():
        return LogSource(path, named or recognise(path), how)
    check_packed(path)
    if not head_of(path).strip():
        raise InputError([Fault(printable(str(path)), "is empty: there is no conversation in it")])
    return LogSource(path, named or recognise(path), how)


def _of_folder(folder: Path, named: LogFormat | None, how: ReadOptions) -> list[LogSource]:
    """Return the files of a folder and of those in it, by name; what is no log is passed over and told."""
    sources: list[LogSource] = []
    for path in _files(folder):
        try:
            sources.append(replace(_of_file(path, named, how), of_folder=True))
        except InputError as error:
            skip = _passed_over(path, "no log that can be recognised", error)
            sources.append(LogSource(path, format_named("messages"), how, of_folder=True, unread=skip))
    if all(source.unread for source in sources):
        seen = f"; the first says: {sources[0].unread}" if sources else ""
        raise InputError([Fault(printable(str(folder)), f"is a folder without a log that can be read{seen}")])
    return sources


def _lacks_journal(folder: Path, named: LogFormat | None) -> bool:
    """Return whether journals are asked for and the folder holds none; to read it as a run folder then says so."""
    return named is not None and named.word == "journal" and not any(map(_is_journal, _files(folder)))


def _is_journal(path: Path) -> bool:
    with suppress(InputError):
        return glimpse(path).content == "journal"
    return False


def _files(folder: Path) -> list[Path]:
    files: list[Path] = []
    try:
        for at, folders, names in os.walk(folder):
            here = Path(at)
            if here != folder and (here / JOURNAL).exists():
                folders.clear()
                files.append(here)
                continue
            deep = len(here.relative_to(folder).parts) >= DEEPEST
            folders[:] = [] if deep else sorted(name for name in folders if not name.startswith("."))
            files += [here / name for name in sorted(names) if not name.startswith(".")]
            if len(files) > MOST_FILES:
                said = f"holds more than {MOST_FILES:,} files; name the ones that are logs"
                raise InputError([Fault(printable(str(folder)), said)])
    except OSError as error:
        raise InputError([Fault(printable(str(folder)), f"cannot be read: {error.strerror}")]) from None
    return files


def _named(sources: list[LogSource]) -> list[LogSource]:
    """Name the sources: by the file's own name, or by the whole path where two have one name."""
    names = [printable(source.path.resolve().name) for source in sources]
    if len(set(names)) < len(names):
        names = [printable(str(source.path)) for source in sources]
    return [replace(source, name=name) for source, name in zip(sources, names, strict=True)]


def read_all(sources: Sequence[LogSource]) -> Iterator[Conversation | SkippedLine]:
    """Yield the conversations of all files, one after another, each with an id of its own."""
    yield from kept_apart(_read(sources))


def _read(sources: Sequence[LogSource]) -> Iterator[Conversation | SkippedLine]:
    for source in sources:
        if source.unread is not None:
            yield source.unread
            continue
        try:
            for entry in source.format.reader.read(source.path, source.how):
                yield replace(entry, source=source.name) if isinstance(entry, Conversation) else entry
        except InputError as error:
            if not source.of_folder:
                raise
            yield _passed_over(source.path, f"cannot be read as {source.format.word}", error)


def _passed_over(path: Path, why: str, error: InputError) -> SkippedLine:
    said = error.faults[0].message if error.faults else str(error)
    return SkippedLine(printable(str(path)), "file", f"passed over: {why}", said)
