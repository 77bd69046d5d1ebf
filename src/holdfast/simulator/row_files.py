"""Rows of described columns, written to Parquet, JSON lines or CSV a batch at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.core.atomic import drafted
from holdfast.core.errors import InputError
from holdfast.core.wording import printable, quote

if TYPE_CHECKING:
    import pyarrow

Columns = Mapping[str, tuple[str, str]]  # name -> (Arrow type, or "messages" or "strings", and its meaning)
WriteRows = Callable[[Sequence[Mapping[str, Any]]], None]


def columns_schema(columns: Columns) -> pyarrow.Schema:
    """Return the columns as an Arrow schema, each with its meaning in the field's metadata."""
    import pyarrow as pa

    lists = {
        "messages": pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
        "strings": pa.list_(pa.string()),
    }
    return pa.schema(
        [
            pa.field(name, lists.get(kind) or pa.type_for_alias(kind), metadata={"meaning": meaning})
            for name, (kind, meaning) in columns.items()
        ]
    )


@contextmanager
def parquet_writer(path: Path, columns: Columns) -> Iterator[WriteRows]:
    """Yield what writes batches of rows to a Parquet file, compressed with zstd."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = columns_schema(columns)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pylist(list(rows), schema))


@contextmanager
def jsonl_writer(path: Path, _columns: Columns) -> Iterator[WriteRows]:
    """Yield what writes batches of rows as JSON lines."""
    with path.open("w", encoding="utf-8", errors="replace") as file:
        yield lambda rows: file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@contextmanager
def csv_writer(path: Path, columns: Columns) -> Iterator[WriteRows]:
    """Yield what writes batches of rows as CSV with a header; an empty cell stands for null."""
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        yield lambda rows: table.writerows([row[name] for name in columns] for row in rows)


RowWriter = Callable[[Path, Columns], AbstractContextManager[WriteRows]]
WRITERS: dict[str, RowWriter] = {".parquet": parquet_writer, ".jsonl": jsonl_writer, ".csv": csv_writer}


def require_known_ending(path: Path, option: str) -> None:
    """Raise InputError unless ``path``, which ``option`` named, has an ending of :data:`WRITERS`."""
    if path.suffix.lower() not in WRITERS:
        raise InputError(f"{option}: {quote(path.name)} has no known ending (allowed: {', '.join(WRITERS)})")


def require_row_file(path: Path, option: str) -> None:
    """Check that rows can be written to ``path``, before any work is done. ``option``: that named it.

    Raises:
        InputError: another ending than those of :data:`WRITERS`, or a file that is there already.
    """
    require_known_ending(path, option)
    if path.exists():
        raise InputError(f"{option}: {printable(str(path))} is there already; remove it, or name another file")


@contextmanager
def row_file(path: Path, columns: Columns) -> Iterator[WriteRows]:
    """Yield what writes batches of rows to ``path``, in the format of its ending; the whole file or none.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        with drafted(path) as draft, WRITERS[path.suffix.lower()](draft, columns) as write:
            yield write
    except OSError as error:
        shown = printable(str(path))
        raise InputError(f"{shown}: cannot be written ({error.strerror or error}); name another file") from error
