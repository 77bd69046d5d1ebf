"""Which words, pairs and triples of words a dialogue rater knows, per view, and how it finds them in texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from holdfast.agents.raters.linear.features import Floats, Ints, cut, grams, numbered, rarity, vocabulary

#: What each view counts for: replies, user's messages, last reply, last user's messages (see ``reading.VIEWS``).
VIEW_WEIGHTS: tuple[float, ...] = (1.0, 0.7, 0.7, 0.5)


@dataclass(frozen=True)
class WordTable:
    """``words``: known tokens, numbered from 1; ``keys``: (F,) sorted, a run of words and the view that it stands in;
    ``idf``: (F,), how rare the run is."""

    words: tuple[str, ...]
    keys: Ints
    idf: NDArray[np.float32]

    @cached_property
    def numbers(self) -> dict[str, int]:
        return numbered(self.words)

    def find(self, views: Sequence[Sequence[str]]) -> tuple[Ints, Ints, Floats]:
        """(row, feature, value), three arrays of N: which passage holds which run, each once, with its weight.

        Per passage and view the values are a vector of idf as long as the view's weight, so that a long text does not
        count for more.
        """
        rows, features, values = [], [], []
        for number, view in enumerate(views):
            key, row = _runs(view, self.numbers, number, len(views))
            where = np.minimum(np.searchsorted(self.keys, key), max(len(self.keys) - 1, 0))
            known = self.keys[where] == key if len(self.keys) else np.zeros(len(key), dtype=bool)
            where, row = where[known], row[known]
            idf = self.idf[where].astype(np.float64)
            length = np.sqrt(np.bincount(row, weights=idf * idf, minlength=len(view)))
            rows.append(row)
            features.append(where)
            values.append(VIEW_WEIGHTS[number] * idf / length[row])
        if not rows:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
        return np.concatenate(rows), np.concatenate(features), np.concatenate(values)


def make_table(views: Sequence[Sequence[str]], least: int) -> WordTable:
    """The table of every run that occurs in at least ``least`` passages of one view (n texts each)."""
    words = vocabulary(chain.from_iterable(views), least)
    numbers = numbered(words)
    passages = len(views[0]) if views else 0
    parts = [_runs(view, numbers, number, len(views))[0] for number, view in enumerate(views)]
    keys, count = np.unique(np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64), return_counts=True)
    keys, count = keys[count >= least], count[count >= least]
    return WordTable(words, keys, rarity(count, passages).astype(np.float32))


def _runs(view: Sequence[str], numbers: dict[str, int], number: int, views: int) -> tuple[Ints, Ints]:
    """(key, row) of every run of one to three known words within a sentence, each once per text."""
    sentences = cut(view, numbers)
    key, place = grams(sentences, len(numbers) + 1)
    row = sentences.reply[place] if len(place) else place
    both = np.unique(np.stack([row, key * views + number]), axis=1)
    return both[1], both[0]
