"""JSON lines: those that people may have written by hand, with all faults in plain words; files that grow by a line."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from holdfast.core.atomic import drafted
from holdfast.core.errors import Fault, InputError
from holdfast.core.files import read_file
from holdfast.core.hashing import sha256

Line = TypeVar("Line", bound=BaseModel)


def write_lines(lines: Iterable[BaseModel], path: Path) -> str:
    """Write ``lines`` to ``path``, creating its folder; return the SHA-256 of the file."""
    text = "".join(line.model_dump_json() + "\n" for line in lines)
    with drafted(path) as draft:
        draft.write_text(text, encoding="utf-8")
    return sha256(text)


def whole_lines(file: Path) -> list[bytes]:
    """Return the lines of ``file``; what follows the last newline, written when the power went, is cut off."""
    if not os.path.lexists(file):
        return []
    data = read_file(file)
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        os.truncate(file, len(whole))
    return whole.splitlines()


def append_line(file: Path, line: str) -> None:
    """Write a line at the end of ``file``, and wait until it is on the disk. Raises OSError where it cannot be."""
    with file.open("ab") as out:
        out.write(line.encode() + b"\n")
        out.flush()
        os.fsync(out.fileno())


def read_lines(path: Path, model: type[Line], nothing: str, most: int | None = None) -> tuple[Line, ...]:
    """Read the non-blank lines of ``path``; only a newline ends one: JSON may hold Unicode's other separators.

    Raises:
        InputError: The file is no UTF-8 text, holds no line (``nothing`` says what to do), or lines of another shape:
            each with its number, at most ``most`` faults.
    """
    try:
        text = read_file(path).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text: {error}") from error
    lines: list[Line] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                lines.append(model.model_validate_json(line))
            except ValidationError as error:
                for fault in error.errors():
                    where = ".".join(map(str, fault["loc"]))
                    faults.append(Fault(str(path), f"{where}: {fault['msg']}" if where else fault["msg"], number))
    if not lines and not faults:
        faults.append(Fault(str(path), nothing))
    if faults:
        raise InputError(faults[:most])
    return tuple(lines)
