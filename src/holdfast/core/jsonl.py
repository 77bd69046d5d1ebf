"""JSON lines that people may have written by hand: numbered lines, and pydantic's errors in plain words."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from holdfast.core.errors import InputError


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the non-blank lines of ``path`` with their numbers from 1.

    Only a newline ends a line: a JSON string may hold other line separators of Unicode.

    Raises:
        InputError: The file cannot be read as UTF-8 text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text: {error}") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def error_text(fault: Mapping[str, Any]) -> str:
    """Return one item of ``ValidationError.errors()`` as ``place: what is wrong``."""
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else str(fault["msg"])
