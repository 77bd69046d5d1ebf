"""Reading JSON lines that people may have written by hand: numbered, and with what pydantic says in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from holdfast.core.errors import InputError


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of ``path`` that are not blank, with their numbers from 1. Raises :class:`InputError`: no such text.

    Only a newline ends a line: inside a JSON string other separators of Unicode may stand.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text: {error}") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def said(fault: Mapping[str, Any]) -> str:
    """One of a ValidationError's ``errors()`` as ``place: what is wrong``."""
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else str(fault["msg"])
