"""JSON values of a file, each with its place: lines, elements of arrays, objects over many lines; rows of Parquet."""

import codecs
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from holdfast.core.files import opened
from holdfast.core.reading.encodings import ESCAPED
from holdfast.core.reading.opening import CHUNK, DataFile, head_of, opened_text
from holdfast.core.reading.parquet import MAGIC, parquet_rows
from holdfast.core.reading.skips import SkippedLine, parted
from holdfast.core.wording import shorten

MAX_LINE = 32_000_000  # bytes of a line, or characters of one value
HEAD = 1_000_000
_BETWEEN = " \t\r\n,\x1e"  # between values; the last is the mark of RFC 7464's sequences

Document = tuple[str, Any]
IsPart = Callable[[Any], bool]


def json_documents(path: Path, is_part: IsPart = lambda _: False) -> Iterator[Document | SkippedLine]:
    """Yield (place, value) of each document of a file.

    Documents are: lines of JSON; values that stand one after another; the elements of an array, unless ``is_part`` says
    of the first one that it is a part of a document, as a message is of a conversation: then the array is the document.
    """
    with opened(path) as file:
        packed = file.read(4) == MAGIC
    if packed:
        yield from parquet_rows(path)
        return
    by_line = _by_line(head_of(path, HEAD + 1))
    with opened_text(path) as file:
        yield from _lines(file, is_part) if by_line else _Values(file, is_part).read()
        if file.fault:
            yield SkippedLine(file.name, "file", *parted(file.fault))


def _by_line(head: bytes) -> bool:
    """Whether each line is a document, judged by the beginning of a file."""
    cut = len(head) > HEAD
    lines = [line for line in head.decode("utf-8", "replace").split("\n") if line.strip()]
    if not lines:
        return False
    first, complete = lines[0].strip(), lines[: len(lines) - cut]
    if not complete:  # one line that does not end in sight: an array is read bit by bit, all else as a line
        return not first.startswith("[")
    if _parses(first):
        return True
    return not _goes_on("\n".join(lines), cut) and any(
        line[:1] in "{[" and _parses(line) for line in complete[1:20] if not line.rstrip().endswith(",")
    )


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _goes_on(text: str, cut: bool) -> bool:
    """Whether the first value of ``text`` is whole, or as far as the text is there."""
    try:
        json.JSONDecoder().raw_decode(text.lstrip())
    except json.JSONDecodeError as error:
        return cut and _at_end(error, text.lstrip())
    except (ValueError, RecursionError):
        return False
    return True


def _at_end(error: json.JSONDecodeError, text: str) -> bool:
    """Whether the fault is that the text ends too early."""
    return error.msg.startswith(("Unterminated string", "Invalid \\")) or error.pos >= len(text) - 16


def _lines(file: DataFile, is_part: IsPart) -> Iterator[Document | SkippedLine]:
    number = 0
    while raw := file.stream.readline(MAX_LINE):
        number += 1
        place = f"{file.name}:{number}"
        if len(raw) >= MAX_LINE and not raw.endswith(b"\n"):
            while (more := file.stream.readline(CHUNK)) and not more.endswith(b"\n"):
                pass
            yield SkippedLine(place, "line", f"longer than {MAX_LINE:,} bytes")
        elif raw.strip():
            document = _parsed(file, raw, place)
            if isinstance(document, SkippedLine) or not isinstance(document[1], list) or _whole(document[1], is_part):
                yield document
            else:
                yield from ((place, value) for value in document[1])


def _whole(values: list[Any], is_part: IsPart) -> bool:
    return not values or is_part(values[0])


def _parsed(file: DataFile, raw: bytes, place: str) -> Document | SkippedLine:
    try:
        text = file.repaired(raw.strip(b" \t\r\n\x1e").decode("utf-8", "surrogateescape"))
        if not text.isascii() and (escaped := ESCAPED.search(text)):
            at = len(text[: escaped.start()].encode("utf-8", "surrogateescape")) + 1
            return SkippedLine(place, "line", "not UTF-8", f"byte 0x{ord(escaped[0]) - 0xDC00:02x} at byte {at}")
        return place, json.loads(text)
    except RecursionError:
        return SkippedLine(place, "line", "nested too deeply")
    except json.JSONDecodeError as error:
        return SkippedLine(place, "line", "not JSON", f"{error.msg}, column {error.colno}")
    except ValueError as error:  # a number with thousands of digits
        return SkippedLine(place, "line", "not JSON", shorten(str(error)))


class _Values:
    """The values of a text, read through a window that is extended at its end and cut at its beginning.

    After a broken value the rest is not read: the next one's start is unknown.
    """

    def __init__(self, file: DataFile, is_part: IsPart) -> None:
        self._file, self._is_part = file, is_part
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._json = json.JSONDecoder()
        self.text, self.at, self.line = "", 0, 1

    def read(self) -> Iterator[Document | SkippedLine]:
        """Yield the values, and those of arrays of them."""
        inside = False
        while self._skip():
            place = f"{self._file.name}:{self.line}"
            mark = self.text[self.at]
            if inside and mark == "]":
                inside, self.at = False, self.at + 1
                continue
            try:
                if mark == "[" and not inside and not self._is_whole():
                    inside, self.at = True, self.at + 1
                    continue
                value, end = self._value()
            except (ValueError, RecursionError) as error:
                reason = "nested too deeply" if isinstance(error, RecursionError) else "not JSON"
                where = "array" if inside else "file"
                said = f"{reason}: the rest of the {where} was not read"
                yield SkippedLine(place, "file", said, shorten(str(error)))
                return
            taken = self.text[self.at : end]
            self.line, self.at = self.line + taken.count("\n"), end
            broken = not taken.isascii() and ESCAPED.search(taken)
            yield SkippedLine(place, "line", "not UTF-8") if broken else (place, value)
        if inside and not self._file.fault:
            yield SkippedLine(f"{self._file.name}:{self.line}", "file", "the array is cut off: it has no end")

    def _fill(self) -> bool:
        """Read on, at least as much as the window holds; False at the end of the file."""
        self.text, self.at = self.text[self.at :], 0
        raw = self._file.stream.read(max(CHUNK, len(self.text)))
        self.text += self._file.repaired(self._decoder.decode(raw, final=not raw))
        return bool(raw)

    def _skip(self) -> bool:
        """Move to the next value; False where there is none."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in _BETWEEN:
                self.line += self.text[self.at] == "\n"
                self.at += 1
            if self.at < len(self.text):
                return True
            if not self._fill() and not self.text:
                return False

    def _is_whole(self) -> bool:
        """Whether the array here is one document: its first value is a part of one."""
        begin = self.at
        while True:
            first = begin + 1
            while first < len(self.text) and self.text[first] in _BETWEEN:
                first += 1
            if first < len(self.text) and self.text[first] in "]":
                return False
            try:
                value, _ = self._json.raw_decode(self.text, first)
                return self._is_part(value)
            except json.JSONDecodeError as error:
                if not _at_end(error, self.text) or len(self.text) - begin > MAX_LINE or not self._fill():
                    return False
                begin = 0

    def _value(self) -> tuple[Any, int]:
        while True:
            try:
                value, end = self._json.raw_decode(self.text, self.at)
                if end < len(self.text) or not self._fill():  # a number at the edge may go on
                    return value, end
            except json.JSONDecodeError as error:
                if not _at_end(error, self.text) or len(self.text) - self.at > MAX_LINE or not self._fill():
                    raise
