"""Tables of any kind: CSV, JSON lines of flat objects, Parquet; columns and rows, each row with its place."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.core.errors import DataError, InputError
from holdfast.core.files import opened
from holdfast.core.reading.delimited import csv_rows
from holdfast.core.reading.documents import json_documents
from holdfast.core.reading.opening import head_of
from holdfast.core.reading.parquet import MAGIC
from holdfast.core.reading.skips import BrokenRow, SkippedLine

SAMPLE = 20  # objects whose keys are the columns
SUFFIXES = (".csv", ".csv.gz", ".csv.zst", ".tsv", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".json", ".parquet")

Row = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """A file as a table. ``columns``: of a CSV in its order, else all keys of the first rows."""

    path: Path
    columns: tuple[str, ...]
    delimited: bool

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Yield the rows from the first on: texts in a CSV, else what JSON can hold."""
        if self.delimited:
            with csv_rows(self.path) as (_, rows):
                yield from rows
            return
        for document in json_documents(self.path):
            if isinstance(document, SkippedLine):
                yield BrokenRow(document)
            elif isinstance(document[1], Mapping):
                yield document
            else:
                yield BrokenRow(SkippedLine(document[0], "line", "not an object with named values"))


def table_of(path: Path) -> Table:
    """Return a file as a table.

    Raises:
        InputError: it is absent, a folder, or cannot be read.
    """
    with opened(path) as file:
        packed = file.read(4) == MAGIC
    if not packed and head_of(path, 256).lstrip()[:1] not in (b"{", b"["):
        with csv_rows(path) as (header, _):
            return Table(path, tuple(filter(None, header)), delimited=True)
    columns: dict[str, None] = {}
    for number, document in enumerate(json_documents(path)):
        if not isinstance(document, SkippedLine) and isinstance(document[1], Mapping):
            columns.update(dict.fromkeys(str(key) for key in document[1]))
        if number >= SAMPLE:
            break
    return Table(path, tuple(columns), delimited=False)


def table_beside(path: Path) -> Path:
    """Return ``path``, or where it is not there, a file of its name with another ending of :data:`SUFFIXES`."""
    if path.exists():
        return path
    stem = path.name.split(".")[0]
    return next((other for suffix in SUFFIXES if (other := path.with_name(stem + suffix)).is_file()), path)


def labelled_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (place, row) of a table of labels, of which no row may be lost: all cells as text, lists as JSON.

    ``path`` may have another ending of :data:`SUFFIXES`: labels may be CSV, JSON lines or Parquet.

    Raises:
        DataError: it is absent, a column of ``needed`` is, or a row cannot be used.
    """
    path = table_beside(path)
    try:
        table = table_of(path)
        absent = [column for column in needed if column not in table.columns]
        if absent:
            raise DataError(f"{path}:1: columns absent: {', '.join(absent)}. Expected: {', '.join(needed)}.")
        for row in table.rows():
            if isinstance(row, BrokenRow):
                raise DataError(f"{row.skip}. Each row of labels must be whole.")
            lost = [column for column in needed if column not in row[1]]
            if lost:
                raise DataError(f"{row[0]}: the row lacks {', '.join(lost)}.")
            yield row[0], {name: _cell(value) for name, value in row[1].items()}
    except DataError:
        raise
    except InputError as error:
        said = error.faults[0].message if error.faults else str(error)
        raise DataError(f"{path}: cannot be read ({said}). See --data and the data set's README.") from error


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value) if isinstance(value, (list, dict)) else str(value)
