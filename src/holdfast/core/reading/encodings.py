"""The encoding of a text, only where it is sure: UTF-16 and UTF-32 by their marks or zero bytes, and Windows-1252.

A text in Windows-1252 (Excel's "CSV" in western Europe and America; Latin-1 is part of it) carries no mark. It is taken
for that only where no byte sequence of the whole file is UTF-8, every byte is a character of Windows-1252, and nothing
looks like another code page: a capital after a small letter (Mac, DOS), a sign inside a word (Central European),
letters of Icelandic that are Turkish elsewhere, or four accented letters in a row (Cyrillic, Greek, East Asian).
"""

import codecs
import re
from collections.abc import Iterable

CODE_PAGE = "cp1252"
#: Mark at the beginning of a file -> its encoding. UTF-32 first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
#: Signs that never stand inside a word.
_SIGNS = (
    "\u201a\u201e\u2020\u2021\u02c6\u2030\u2039\u201c\u203a\xa2"
    "\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xac\xae\xaf\xb1\xb2\xb3\xb5\xb6\xb8\xb9\xaa\xbc\xbd\xbe\xbf"
)
_ELSEWHERE = re.compile(
    r"[\x00-\x08\x0e-\x1f]"
    r"|[a-z][\xc0-\xd6\xd8-\xde]"
    rf"|[A-Za-z\xc0-\xff][{_SIGNS}][a-z\xe0-\xff]"
    r"|[\xf0\xfe\xd0\xde]"
    r"|[\xc0-\xd6\xd8-\xf6\xf8-\xff]{4}"
)
ESCAPED = re.compile(r"[\udc80-\udcff]")  # bytes that are not UTF-8, as "surrogateescape" decodes them
_HIGH = re.compile(rb"[\x80-\xff]")


def mark_of(head: bytes) -> tuple[bytes, str]:
    """Return the mark at the beginning of a file and the encoding; ``(b"", "utf-8")`` where there is none.

    A text without a mark whose every second byte is zero is UTF-16: what it begins with is ASCII.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return mark, encoding
    sample = head[: 256 - 256 % 2]
    even, odd = sample[0::2], sample[1::2]
    if len(sample) >= 8:
        if odd.count(0) > 0.8 * len(odd) and not even.count(0):
            return b"", "utf-16-le"
        if even.count(0) > 0.8 * len(even) and not odd.count(0):
            return b"", "utf-16-be"
    return b"", "utf-8"


def surely_code_page(chunks: Iterable[bytes]) -> bool:
    """Return whether a text that is not UTF-8 is surely Windows-1252. ``chunks``: the whole of it."""
    high, tail = False, b""
    for chunk in chunks:
        piece = tail + chunk
        tail = chunk[-4:]
        if not _HIGH.search(piece):
            if b"\x00" in piece:
                return False
            continue
        high = True
        if _UTF8.search(piece):
            return False
        try:
            text = piece.decode(CODE_PAGE)
        except UnicodeDecodeError:
            return False
        if _ELSEWHERE.search(text):
            return False
    return high
