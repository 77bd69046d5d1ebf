"""Cutting a word into other pieces than the tokenizer would: BPE-dropout (Provilkov, Emelianenko and Voita, ACL 2020).

A word that was never in training falls into pieces that hardly ever stood alone there ("cop" and "per" only inside
"copy" and "paper"), and what a model never wrote it does not copy. So names are now and then cut otherwise, in the same
way wherever they stand in a document: to copy them is then to copy pieces, whichever they are.

The merges are done here and not by the tokenizer's own dropout, which draws from a generator that nobody can seed.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from tokenizers import Tokenizer

SKIPPED = 0.35  # chance that a merge is passed over at one step
SPACE = "Ġ"  # how a byte-level tokenizer writes the space before a word


class Recutter:
    """Cuts words by a byte-level BPE tokenizer's merges, some of them passed over."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        model = json.loads(tokenizer.to_str())["model"]
        self._ids: Mapping[str, int] = model["vocab"]
        self._ranks = {tuple(pair): rank for rank, pair in enumerate(model["merges"])}

    def cut(self, word: str, rng: random.Random, skipped: float = SKIPPED) -> list[tuple[int, int]]:
        """Pieces of the space and the ASCII word after it: (token id, characters). ``skipped`` 0: as the tokenizer."""
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


def words_of(phrases: Iterable[str]) -> list[str]:
    """The plain words of ``phrases``, each once, in the order of their first place."""
    return list(dict.fromkeys(word for phrase in phrases for word in phrase.split() if re.fullmatch("[A-Za-z]+", word)))


def segments(text: str, words: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """``text`` in order as (piece of text, word): a word's piece is the space and the word; others have None."""
    words = list(words)
    if not words:
        yield text, None
        return
    start = 0
    for found in re.finditer(rf" ({'|'.join(words)})(?![A-Za-z])", text):
        if found.start() > start:
            yield text[start : found.start()], None
        yield found.group(), found.group(1)
        start = found.end()
    if start < len(text):
        yield text[start:], None
