"""Writing whole or not at all: beside its place first, and under its own name when it is done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Where to write (a file or a folder) what shall stand at ``path``; it takes that name when the block ends well.

    Makes the folder around it. What stood there stays until then, and a block that fails leaves nothing behind.
    Raises OSError where something cannot be written.
    """
    draft = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        os.replace(draft, path)
    finally:
        with suppress(OSError):
            if draft.is_dir():
                shutil.rmtree(draft)
            else:
                draft.unlink(missing_ok=True)
