"""What a file begins with: enough to recognise its format, and to say what was seen where no format fits."""

import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from holdfast.core.errors import Fault, InputError
from holdfast.core.files import opened
from holdfast.core.reading.delimited import csv_rows
from holdfast.core.reading.documents import json_documents
from holdfast.core.reading.opening import head_of
from holdfast.core.reading.parquet import MAGIC
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import describe_value, printable, quote
from holdfast.simulator.journal.store import JOURNAL
from holdfast.simulator.logs.shapes import is_part

SAMPLE = 20  # values: some broken lines at the start are tolerated
LINES = 50
MOST_SHOWN = 12  # keys or columns
_PACKED = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7-Zip", b"Rar!": "RAR"}
_DATABASE = "an SQLite database"
_BINARY = {
    b"SQLite format 3\x00": _DATABASE,
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"\x80\x04": "a pickle",
}
_BINARY |= {b"ARROW1": "an Arrow file, not Parquet", b"\x7fELF": "a program", b"\xd0\xcf\x11\xe0": "an old Office file"}

Content = Literal["journal", "archive", "parquet", "json", "text", "bytes"]


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The beginning of a file. ``values``: of JSON or Parquet; ``columns``: of a table; ``lines``: of a text.

    ``what``: of bytes that are no text, what they are.
    """

    path: Path
    content: Content
    values: tuple[Any, ...] = ()
    columns: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    what: str = ""

    def any(self, wanted: Callable[[Mapping[str, Any]], bool]) -> bool:
        """Whether one of the values is a mapping that ``wanted`` accepts."""
        return any(isinstance(value, Mapping) and wanted(value) for value in self.values)

    def has(self, *keys: str) -> bool:
        """Whether one of the values, or the table, has all of these keys."""
        return set(keys) <= set(self.columns) or self.any(lambda value: set(keys) <= value.keys())

    @property
    def seen(self) -> str:
        """Return in words what the file holds."""
        if self.content in ("archive", "bytes", "journal"):
            return self.what
        if self.content in ("json", "parquet"):
            kind = "JSON" if self.content == "json" else "Parquet"
            first = self.values[0] if self.values else None
            if isinstance(first, Mapping):
                return f"{kind} with the keys {_listed(first)}"
            if isinstance(first, list) and first and isinstance(first[0], Mapping):
                return f"{kind} lists of objects with the keys {_listed(first[0])}"
            return f"{kind}: {describe_value(first)}" if self.values else self.what
        if len(self.columns) > 1:
            return f"a table with the columns {', '.join(_shown(self.columns))}"
        return f"text that begins {quote(next((line for line in self.lines if line.strip()), '').strip())}"


def _listed(value: Mapping[Any, Any]) -> str:
    return ", ".join(_shown([str(key) for key in value])) or "(none)"


def _shown(names: Any) -> list[str]:
    names = list(names)
    shown = [quote(name)[1:-1] for name in names[:MOST_SHOWN]]
    return [*shown, f"and {len(names) - MOST_SHOWN} more"] if len(names) > MOST_SHOWN else shown


def glimpse(path: Path) -> Glimpse:
    """Return what a file, or a run folder, begins with.

    Raises:
        InputError: it is absent, empty, a folder without a journal, or cannot be read.
    """
    if path.is_dir() and (path / JOURNAL).exists():
        return Glimpse(path, "journal", what="a run folder")
    with opened(path) as file:
        magic = file.read(16)
    if magic.startswith(b"PK"):
        return _archive(path)
    if magic.startswith(MAGIC):
        return _of_values(path, "parquet")
    what = _what(magic)
    if what:
        return Glimpse(path, "journal" if what == _DATABASE else "bytes", what=what)
    return _of_text_file(path)


def _what(magic: bytes) -> str:
    """Return what bytes are that are no text, judged by the first of them; "" where they may be a text."""
    for mark, kind in _PACKED.items():
        if magic.startswith(mark):
            return f"a file packed with {kind}; unpack it first"
    return next((kind for mark, kind in _BINARY.items() if magic.startswith(mark)), "")


def _of_text_file(path: Path) -> Glimpse:
    head = head_of(path)
    if not head.strip():
        raise InputError([Fault(printable(os.fspath(path)), "is empty: there is no conversation in it")])
    if head.lstrip(b"\x1e \t\r\n")[:1] in (b"{", b"["):
        return _of_values(path, "json", head)
    return _of_text(path, head)


def _of_values(path: Path, content: Literal["json", "parquet"], head: bytes = b"") -> Glimpse:
    values: list[Any] = []
    wrong = ""
    for number, document in enumerate(json_documents(path, is_part)):
        if isinstance(document, SkippedLine):
            wrong = wrong or str(document)
        else:
            values.append(document[1])
        if number >= SAMPLE:
            break
    plain = not any(isinstance(value, (Mapping, list)) for value in values)
    if wrong and plain and content == "json" and not _json_like(head):
        return _of_text(path, head)
    return Glimpse(path, content, tuple(values), lines=_head_lines(head), what=f"no value that can be read ({wrong})")


def _json_like(head: bytes) -> bool:
    """Whether a text is meant as JSON, though it is broken: not a chat whose lines begin with [date]."""
    text = head.lstrip()
    return text[:1] == b"{" or text[1:].lstrip()[:1] in (b"{", b"[", b'"')


def _of_text(path: Path, head: bytes) -> Glimpse:
    lines = _head_lines(head)
    if b"\x00" in head or _share_of_controls(head) > 0.1:
        return Glimpse(path, "bytes", lines=lines, what="bytes that are no text")
    try:
        with csv_rows(path) as (header, _):
            columns = tuple(header)
    except InputError:
        columns = ()
    return Glimpse(path, "text", columns=columns, lines=lines)


def _share_of_controls(head: bytes) -> float:
    return sum(byte < 9 or 13 < byte < 32 for byte in head) / max(1, len(head))


def _head_lines(head: bytes) -> tuple[str, ...]:
    return tuple(head.decode("utf-8", "replace").splitlines()[:LINES])


def _archive(path: Path) -> Glimpse:
    try:
        with opened(path) as file, zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except Exception as error:  # zipfile raises many types
        return Glimpse(path, "bytes", what=f"a damaged zip archive ({type(error).__name__})")
    if "[Content_Types].xml" in names:
        return Glimpse(path, "archive", values=("xlsx",), what="an Office file")
    listed = ", ".join(_shown(names))
    return Glimpse(path, "archive", what=f"a zip archive that holds {listed}; unpack it first")
