"""Rows of a Parquet file as JSON-like values, a few at a time."""

import os
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from holdfast.core.files import opened
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.wording import printable, shorten

MAGIC = b"PAR1"
ROWS = 64  # read at once
MOST_BYTES = 256_000_000  # of the rows that are read at once


def parquet_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]] | SkippedLine]:
    """Yield (place, row) of each row; times as text in ISO 8601, bytes as nothing."""
    import pyarrow.parquet  # a third of a second

    name = printable(os.fspath(path))
    number = 0
    with opened(path) as file:
        try:
            for batch in pyarrow.parquet.ParquetFile(file).iter_batches(ROWS, use_threads=False):
                if batch.nbytes > MOST_BYTES:
                    said = f"{ROWS} rows are more than {MOST_BYTES:,} bytes: the rest was not read"
                    yield SkippedLine(f"{name}:{number + 1}", "file", said)
                    return
                for row in batch.to_pylist():
                    number += 1
                    yield f"{name}:{number}", {key: _plain(value) for key, value in row.items()}
        except Exception as error:  # Arrow raises many types on damaged files
            detail = shorten(f"{type(error).__name__}: {error}")
            yield SkippedLine(f"{name}:{number + 1}", "file", "damaged Parquet: the rest was not read", detail)


def _plain(value: Any) -> Any:
    """Return the value as JSON would hold it; maps come as lists of pairs."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return None if isinstance(value, bytes) else str(value)
