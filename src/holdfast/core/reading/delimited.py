"""Rows of a CSV file, with commas, semicolons, tabs or bars between its cells; each row with its place."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.core.errors import Fault, InputError
from holdfast.core.reading.encodings import ESCAPED
from holdfast.core.reading.opening import DataFile, opened_text
from holdfast.core.reading.skips import BrokenRow, SkippedLine, parted
from holdfast.core.wording import quote

MAX_LINE = 32_000_000  # characters of a line
MAX_FIELD = 4_000_000  # characters of a cell
DELIMITERS = ",;\t|"
_SEP = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # Excel's own first line
_QUOTED = re.compile(r'"(?:[^"]|"")*"')

CsvRow = tuple[str, dict[str, str]]


@contextmanager
def csv_rows(path: Path) -> Iterator[tuple[list[str], Iterator[CsvRow | BrokenRow]]]:
    """Yield the header of a CSV file and its rows, each (place, column -> cell).

    A row whose quotes are wrong, whose cells are too many or too few, or whose bytes are no text, is a
    :class:`BrokenRow`. A column without a name is left out.

    Raises:
        InputError: there is no such file, or two columns have one name.
    """
    with opened_text(path) as file:
        text = io.TextIOWrapper(file.stream, encoding="utf-8", errors="surrogateescape", newline="")
        before = csv.field_size_limit(MAX_FIELD)
        try:
            lines = _bounded_lines(text)
            first = next(lines, "")
            given = _SEP.fullmatch(first)
            if given:
                first = next(lines, "")
            delimiter = given[1] if given else delimiter_of(first)
            reader = csv.reader(_again(first, lines), delimiter=delimiter, strict=True)
            header = [file.repaired(column).strip() for column in _header(reader)]
            header = [ESCAPED.sub("?", column) for column in header]
            yield header, _rows(reader, header, file, 1 if given else 0)
        finally:
            csv.field_size_limit(before)
            text.detach()


def delimiter_of(line: str) -> str:
    """Return what stands most often between the cells of a header line; a comma where nothing does."""
    bare = _QUOTED.sub("", line)
    return max(DELIMITERS, key=bare.count)


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _bounded_lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(MAX_LINE):
        yield line


def _header(reader: Any) -> list[str]:
    try:
        return list(next(reader, []))
    except csv.Error:
        return []


def _check(header: list[str], name: str) -> None:
    twice = [column for column, count in Counter(header).items() if column and count > 1]
    if twice:
        said = f"has {len(twice)} column names that stand twice, such as {quote(twice[0])}; give each its own"
        raise InputError([Fault(name, said, 1)])


def _rows(reader: Any, columns: list[str], file: DataFile, before: int) -> Iterator[CsvRow | BrokenRow]:
    _check(columns, file.name)
    while True:
        place = f"{file.name}:{reader.line_num + 1 + before}"
        try:
            row = next(reader)
        except StopIteration:
            if file.fault:
                yield BrokenRow(SkippedLine(place, "file", *parted(file.fault)))
            return
        except csv.Error as error:
            yield BrokenRow(SkippedLine(place, "line", "not CSV", str(error)))
            continue
        if not row:
            continue
        cells = {name: file.repaired(cell) for name, cell in zip(columns, row, strict=False) if name}
        if len(row) != len(columns):
            said = f"{len(row)} where the header has {len(columns)}"
            yield BrokenRow(SkippedLine(place, "line", "the row has too few or too many columns", said), cells)
        elif any(ESCAPED.search(cell) for cell in cells.values() if not cell.isascii()):
            readable = {name: cell for name, cell in cells.items() if not ESCAPED.search(cell)}
            yield BrokenRow(SkippedLine(place, "line", "not UTF-8"), readable)
        else:
            yield place, cells
