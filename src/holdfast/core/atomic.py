"""Atomic writing: a file or folder is written beside its place and renamed when it is complete."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Yield where to write the file or folder that becomes ``path`` once the block ends without an error.

    Makes the parent folder. An older ``path`` stays until then; a block that fails leaves nothing behind. The draft's
    name is drawn anew each time: two writers at once do not meet, and nobody can lay a link in its place.

    Raises:
        OSError: Something cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        os.replace(draft, path)
    finally:
        with suppress(OSError):
            if draft.is_dir() and not draft.is_symlink():
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
