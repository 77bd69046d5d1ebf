"""Read a text file safely (ordinary, not too large, UTF-8), repair foreign text, show text without hidden marks."""

import json
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from holdfast.core.errors import Fault, InputError
from holdfast.core.files import cannot_be_read, opened
from holdfast.core.wording import printable

MAX_BYTES = 1_000_000
MAX_HIDDEN = 10  # hidden characters reported one by one

_JOINERS = frozenset("\u200c\u200d")  # invisible, but needed to spell Persian, Hindi, and many emoji


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read an ordinary file of at most :data:`MAX_BYTES`.

    Raises:
        InputError: The path is no such file, or cannot be read.
    """
    name = printable(os.fspath(path))
    with opened(Path(path)) as file:
        try:
            data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise InputError([cannot_be_read(name, error)]) from None
        size = max(len(data), os.fstat(file.fileno()).st_size)
    if len(data) > MAX_BYTES:
        raise InputError([too_large(name, size)])
    return data


def too_large(name: str, size: int) -> Fault:
    """Return the fault of a file of ``size`` bytes, which is too large to read."""
    return Fault(name, f"{size:,} bytes where at most {MAX_BYTES:,} are read; is this the right file?")


def decode(data: bytes, name: str) -> str:
    """Decode UTF-8 text and drop a byte-order mark.

    Raises:
        InputError: With the place of the first byte that is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]  # utf-8-sig may have cut a byte-order mark off
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8; is this a text file? save it as UTF-8"
        raise InputError([Fault(name, message, line, column)]) from None


def is_hidden(character: str) -> bool:
    """Return whether a reader cannot see the character: control, format (also reversing the text), separator."""
    category = unicodedata.category(character)
    unseen = category in {"Cc", "Cf", "Cs", "Zl", "Zp"} or ord(character) & 0xFFFE == 0xFFFE  # the last: noncharacters
    return unseen and character not in _JOINERS and character not in "\t\n\r"


def visible(text: str) -> str:
    r"""Return untrusted text as it may be shown: line breaks as ``\n``, each hidden character written as ``\u202e``.

    JSON stays JSON of the same value. Text that is visible already comes back as it is.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if plain.replace("\n", " ").replace("\t", " ").isprintable():
        return plain
    return "".join(json.dumps(each)[1:-1] if is_hidden(each) else each for each in plain)


def hidden_message(character: str) -> str:
    """Return the message of a fault about a hidden character."""
    name = unicodedata.name(character, "control character")
    return f"hidden character U+{ord(character):04X} ({name.lower()}) is not allowed; delete it"


def hidden_in(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and message of each hidden character, up to :data:`MAX_HIDDEN`."""
    count = 0
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if line.isascii() and line.isprintable():
            continue
        for column, character in enumerate(line, start=1):
            if is_hidden(character):
                yield number, column, hidden_message(character)
                count += 1
                if count == MAX_HIDDEN:
                    return


def repaired(text: str) -> str:
    """Return foreign text as it may be shown and kept: without NUL, and :func:`encodable`."""
    return encodable(text.replace("\0", "") if "\0" in text else text)


def encodable(text: str) -> str:
    """Return the text as UTF-8 can hold it: surrogate pairs joined, lone surrogates replaced."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
