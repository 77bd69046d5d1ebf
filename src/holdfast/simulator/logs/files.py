"""Stream untrusted files: JSON lines, JSON arrays and CSV rows, each with its place."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from holdfast.core.errors import Fault, InputError
from holdfast.core.wording import did_you_mean, printable, shorten
from holdfast.simulator.logs.records import SkippedLine

MAX_LINE = 32_000_000  # bytes of a line, or characters of one element of an array
MAX_FIELD = 4_000_000  # characters of a CSV field
_HEAD = 1_000_000
_CHUNK = 1 << 18

Document = tuple[str, Any]


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open an ordinary file to read.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    name = printable(os.fspath(path))
    try:
        if path.is_dir():
            raise InputError([Fault(name, "is a folder where a file is expected; name a file in it")])
        file = path.open("rb")
    except FileNotFoundError:
        raise InputError([Fault(name, f"no such file{_sibling(path)}; check the path")]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError([Fault(name, f"cannot be read: {reason}; check the path and its permissions")]) from None
    with file:
        yield file


def _sibling(path: Path) -> str:
    try:
        return did_you_mean(path.name, [entry.name for entry in os.scandir(path.parent)])
    except (OSError, ValueError):
        return ""


def head_of(path: Path, size: int = 65_536) -> bytes:
    """Return the first bytes of a file."""
    with opened(path) as file:
        return file.read(size)


def json_documents(path: Path) -> Iterator[Document | SkippedLine]:
    """Yield (place, value) of each JSON document: one a line, the elements of one array, or one indented object."""
    name = printable(os.fspath(path))
    with opened(path) as file:
        head = file.read(_HEAD).removeprefix(codecs.BOM_UTF8).lstrip()
        file.seek(0)
        first, _, rest = head.partition(b"\n")
        if head[:1] == b"[" and not (rest.strip() and _parses(first)):
            yield from _elements(file, name)
        elif first.strip() == b"{" and (whole := _whole(file)) is not None:
            yield f"{name}:1", whole
        else:
            file.seek(0)
            yield from _json_lines(file, name)


def _parses(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


def _whole(file: IO[bytes]) -> Any:
    try:
        return json.loads(file.read(MAX_LINE).decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _json_lines(file: IO[bytes], name: str) -> Iterator[Document | SkippedLine]:
    number = 0
    while raw := file.readline(MAX_LINE):
        number += 1
        place = f"{name}:{number}"
        if len(raw) >= MAX_LINE and not raw.endswith(b"\n"):
            while (more := file.readline(_CHUNK)) and not more.endswith(b"\n"):
                pass
            yield SkippedLine(place, "line", f"longer than {MAX_LINE:,} bytes")
        elif raw.strip():
            yield _parsed(raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw, place)


def _parsed(raw: bytes, place: str) -> Document | SkippedLine:
    try:
        return place, json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        return SkippedLine(place, "line", "not UTF-8", f"byte 0x{raw[error.start]:02x} at byte {error.start + 1}")
    except RecursionError:
        return SkippedLine(place, "line", "nested too deeply")
    except json.JSONDecodeError as error:
        return SkippedLine(place, "line", "not JSON", f"{error.msg}, column {error.colno}")
    except ValueError as error:  # a number with thousands of digits
        return SkippedLine(place, "line", "not JSON", shorten(str(error)))


def _elements(file: IO[bytes], name: str) -> Iterator[Document | SkippedLine]:
    """Yield the elements of one array. After a broken one the rest is not read: the next one's start is unknown."""
    pieces = _Pieces(file)
    decoder, line = json.JSONDecoder(), 1
    pieces.fill()
    pieces.at = pieces.text.find("[") + 1
    line += pieces.text.count("\n", 0, pieces.at)
    while True:
        begin = pieces.at
        pieces.skip(" \t\r\n,")
        line += pieces.passed
        place = f"{name}:{line}"
        if pieces.fault or pieces.over:
            if pieces.fault:
                yield SkippedLine(place, "file", f"{pieces.fault}: the rest of the array was not read")
            elif begin == pieces.at:
                yield SkippedLine(place, "file", "the array is cut off: it has no end")
            return
        if pieces.text[pieces.at] == "]":
            return
        try:
            value, end = _element(decoder, pieces)
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else (pieces.fault or "not JSON")
            yield SkippedLine(place, "file", f"{reason}: the rest of the array was not read", shorten(str(error)))
            return
        yield place, value
        line += pieces.text.count("\n", pieces.at, end)
        pieces.at = end


def _element(decoder: json.JSONDecoder, pieces: _Pieces) -> tuple[Any, int]:
    while True:
        try:
            value, end = decoder.raw_decode(pieces.text, pieces.at)
            if end < len(pieces.text) or not pieces.fill():  # a number at the edge may go on
                return value, end
        except json.JSONDecodeError:
            if len(pieces.text) - pieces.at > MAX_LINE or not pieces.fill():
                raise


class _Pieces:
    """A window on a file's text, extended at its end and cut at its beginning."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.text, self.at, self.passed, self.fault = "", 0, 0, ""

    def fill(self) -> bool:
        """Read on, at least as much as the window holds; False at the end of the file or of its readable part."""
        if self.fault:
            return False
        self.text, self.at = self.text[self.at :], 0
        raw = self._file.read(max(_CHUNK, len(self.text)))
        try:
            more = self._decoder.decode(raw, final=not raw)
        except UnicodeDecodeError:
            self.fault = "not UTF-8"
            return False
        self.text += more
        return bool(raw)

    def skip(self, characters: str) -> None:
        """Move past any of ``characters``; ``passed`` counts the line ends among them."""
        self.passed = 0
        while True:
            while self.at < len(self.text) and self.text[self.at] in characters:
                self.passed += self.text[self.at] == "\n"
                self.at += 1
            if self.at < len(self.text) or not self.fill():
                return

    @property
    def over(self) -> bool:
        """Whether everything is read."""
        return self.at >= len(self.text)


@contextmanager
def csv_rows(path: Path) -> Iterator[tuple[list[str], Iterator[tuple[str, dict[str, str]] | SkippedLine]]]:
    """Yield the header of a CSV file and its rows, each (place, column -> value)."""
    name = printable(os.fspath(path))
    with opened(path) as binary:
        text = io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")
        reader = csv.reader(_bounded_lines(text))
        before = csv.field_size_limit(MAX_FIELD)
        try:
            header = [_unescaped(column).strip() for column in _header(reader)]
            yield header, _rows(reader, header, name)
        finally:
            csv.field_size_limit(before)
            text.detach()


def _bounded_lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(MAX_LINE):
        yield line


def _header(reader: Any) -> list[str]:
    try:
        return list(next(reader, []))
    except csv.Error:
        return []


def _unescaped(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _rows(reader: Any, columns: list[str], name: str) -> Iterator[tuple[str, dict[str, str]] | SkippedLine]:
    while True:
        place = f"{name}:{reader.line_num + 1}"
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield SkippedLine(place, "line", "not CSV", str(error))
            continue
        if not row:
            continue
        if len(row) != len(columns):
            yield SkippedLine(
                place, "line", "too few or too many columns", f"{len(row)} where the header has {len(columns)}"
            )
        elif any("\udc80" <= character <= "\udcff" for value in row if not value.isascii() for character in value):
            yield SkippedLine(place, "line", "not UTF-8")
        else:
            yield place, dict(zip(columns, row, strict=True))
