"""Read files of plain arrays (npz) that others made: never a pickle, never more than fits."""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.core.files import open_file

MAX_BYTES = 1 << 30  # of all arrays of a file together
#: What a damaged or absent file raises while it is read.
DAMAGED_ARRAYS = (
    OSError, ValueError, KeyError, TypeError, EOFError, IndexError, MemoryError, NotImplementedError, RuntimeError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@contextmanager
def read_arrays(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the arrays by name, each read when it is asked for. Raises one of :data:`DAMAGED_ARRAYS`."""
    with open_file(path) as file:
        size = sum(entry.file_size for entry in zipfile.ZipFile(file).infolist())
        if size > MAX_BYTES:
            raise ValueError(f"its arrays take {size:,} bytes where at most {MAX_BYTES:,} are read")
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            yield arrays
