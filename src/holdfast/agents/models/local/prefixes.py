"""Prompts that begin alike: what one row has read, another copies instead of reading it again.

Samples of one reply, and conversations under one system prompt, begin with the same tokens. They are found block by
block, by a digest of all that stands before a block's end, as in vLLM's prefix caching.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BLOCK = 32  # tokens; fewer are read again, which costs less than another pass

Tokens = NDArray[np.int64]


def shared_length(a: Tokens, b: Tokens) -> int:
    """Return how many leading tokens are the same in ``a`` and ``b``."""
    shorter = min(len(a), len(b))
    differs = np.flatnonzero(a[:shorter] != b[:shorter])
    return int(differs[0]) if len(differs) else shorter


def block_digests(tokens: Tokens, adapter: str | None, known: Sequence[bytes] = ()) -> list[bytes]:
    """Return a digest of all tokens up to each block's end. ``known``: those of the first blocks, which are kept.

    Keys and values hang on the adapter too, and so do the digests.
    """
    digests = list(known)
    last = digests[-1] if digests else (adapter or "").encode()
    for start in range(len(digests) * BLOCK, len(tokens) - BLOCK + 1, BLOCK):
        last = hashlib.blake2b(last + tokens[start : start + BLOCK].tobytes(), digest_size=16).digest()
        digests.append(last)
    return digests
