"""Writing whole or not at all: beside its place first, and under its own name when it is done."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


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


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write ``value`` as JSON, the whole file at once; where that fails, the old file stays.

    Raises:
        OSError: the file cannot be written.
        ValueError: a number is nan or infinite.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with drafted(path) as draft:
        draft.write_text(text, encoding="utf-8")
