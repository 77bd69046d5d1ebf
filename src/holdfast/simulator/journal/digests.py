"""A digest beside every row of the journal, so that a bit that flipped or a row that was swapped is noticed when read.

It is no signature: who can write the file can write digests too. Rows that are gone are noticed by what refers to them
(see :mod:`holdfast.simulator.journal.verify`).
"""

import json
from collections.abc import Mapping
from hashlib import blake2b

from holdfast.simulator.journal.rows import TURN_COLUMNS

_SIZE = 16  # bytes
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

#: Columns of turns that came after digests did -> what older rows have there. That value is left out of a digest, so
#: that the digests of older rows stay right.
LATER: Mapping[str, object] = {"calls": 1, "kept": ""}

#: Table -> the columns that its digest covers, in order; the later ones last.
DIGESTED: Mapping[str, tuple[str, ...]] = {
    "meta": ("key", "value"),
    "episodes": ("place", "id", "spec", "ended", "stop", "error"),
    "turns": TURN_COLUMNS,
}


def row_digest(*values: object) -> bytes:
    """Return the digest of a row's values: text, numbers and None, each of its own kind.

    Raises:
        TypeError: A value is of no kind that a journal holds.
    """
    return blake2b(_encode(values).encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()


def turn_digest(*values: object) -> bytes:
    """Return the digest of a turn's row. Raises as :func:`row_digest` does."""
    first = len(TURN_COLUMNS) - len(LATER)
    later = [pair for pair in zip(TURN_COLUMNS[first:], values[first:], strict=True) if pair[1] != LATER[pair[0]]]
    return row_digest(*values[:first], *(part for pair in later for part in pair))


def sql_digest(table: str) -> str:
    """Return the SQL expression of the digest of a row of ``table`` without later columns."""
    return f"row_digest({', '.join(column for column in DIGESTED[table] if column not in LATER)})"
