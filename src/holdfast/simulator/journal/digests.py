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

#: Table -> the columns that its digest covers, in order.
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


def sql_digest(table: str) -> str:
    """Return the SQL expression of the digest of a row of ``table``."""
    return f"row_digest({', '.join(DIGESTED[table])})"
