"""Split a word into other tokens than the tokenizer would: BPE-dropout (Provilkov, Emelianenko and Voita, ACL 2020).

A word that was never in training splits into pieces that hardly ever occurred alone there ("cop" and "per" only inside
"copy" and "paper"), and a model does not copy what it never wrote. So some names are split differently, in the same
way wherever they occur in a document: to copy them is then to copy any pieces.

The merges are done here and not by the tokenizer's own dropout, whose random generator cannot be seeded.
"""

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from tokenizers import Tokenizer

SKIPPED = 0.35  # chance that a merge is passed over at one step
SPACE = "Ġ"  # how a byte-level tokenizer writes the space before a word


class BpeDropout:
    """Splits words by a byte-level BPE tokenizer's merges, skipping some of them at random."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        model = json.loads(tokenizer.to_str())["model"]
        self._ids: Mapping[str, int] = model["vocab"]
        self._ranks = {tuple(pair): rank for rank, pair in enumerate(model["merges"])}

    def split(self, word: str, rng: random.Random, skipped: float = SKIPPED) -> list[tuple[int, int]]:
        """Return (token id, characters) of the space and the ASCII word after it; ``skipped`` 0: as the tokenizer."""
        parts = [SPACE, *word]
        while True:
            joins = [
                (self._ranks[pair], place)
                for place, pair in enumerate(pairwise(parts))
                if pair in self._ranks and rng.random() >= skipped
            ]
            if not joins:
                return [(self._ids[part], len(part)) for part in parts]
            _, place = min(joins)
            parts[place : place + 2] = ["".join(parts[place : place + 2])]


def plain_words(phrases: Iterable[str]) -> list[str]:
    """Return the words of ``phrases`` that are all letters, each once, in order of first occurrence."""
    return list(dict.fromkeys(word for phrase in phrases for word in phrase.split() if re.fullmatch("[A-Za-z]+", word)))


def segments(text: str, words: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Yield ``text`` as (piece, word): a listed word with the space before it; other pieces have word None."""
    words = list(words)
    if not words:
        yield text, None
        return
    start = 0
    for match in re.finditer(rf" ({'|'.join(words)})(?![A-Za-z])", text):
        if match.start() > start:
            yield text[start : match.start()], None
        yield match.group(), match.group(1)
        start = match.end()
    if start < len(text):
        yield text[start:], None
