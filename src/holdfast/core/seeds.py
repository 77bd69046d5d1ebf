"""Seeds derived from what a draw is for, so that the order of draws does not matter."""

import hashlib


def derive_seed(*parts: object) -> int:
    """Return a 63-bit seed for ``parts``, stable across processes and machines (SHA-256 of their joined text)."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
