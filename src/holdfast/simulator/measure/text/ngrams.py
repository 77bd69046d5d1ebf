"""Word n-grams of many replies as integer arrays, for the measures of repetition.

Words become small integers and an n-gram one 64-bit hash, so that a hundred thousand replies are a few arrays. Two
different n-grams share a hash with a chance of about one in 10^19 per pair.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from holdfast.agents.sentence_frames import split
from holdfast.simulator.measure.arrays import Ints

Hashes = npt.NDArray[np.uint64]

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd: multiplication by it is one to one modulo 2^64
MASKED = 0


@dataclass(frozen=True, slots=True)
class WordIds:
    """All words of all replies in one row, as integers from 1 (0 is a masked word).

    ``starts``: where each reply begins, one more entry than replies.
    """

    ids: Ints
    starts: Ints

    def grams(self, n: int) -> tuple[Hashes, Ints]:
        """Return the hash of every n-gram within a reply, and the number of its reply, in reading order."""
        last = len(self.ids) - n + 1
        if last <= 0:
            return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
        hashes = np.zeros(last, dtype=np.uint64)
        for k in range(n):
            hashes = (hashes ^ _mixed(self.ids[k : k + last].astype(np.uint64))) * _FACTOR
        reply = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        within = reply[:last] == reply[n - 1 :]
        return hashes[within], reply[:last][within]


def word_ids(replies: Sequence[str], masks: Sequence[str] | None = None) -> WordIds:
    """Return the lower-case words of each reply as integers.

    ``masks``: one text per reply (the user's message); words of the reply that it contains, and all numbers, become one
    and the same masked word.
    """
    index: defaultdict[str, int] = defaultdict(count(1).__next__)  # numbers new words
    ids: list[int] = []
    starts = [0]
    for number, reply in enumerate(replies):
        if masks is None:
            ids.extend([index[word] for word in split(reply)])
        else:
            hidden = set(split(masks[number]))
            ids.extend([MASKED if word in hidden or word.isdigit() else index[word] for word in split(reply)])
        starts.append(len(ids))
    return WordIds(np.array(ids, dtype=np.int64), np.array(starts, dtype=np.int64))


def _mixed(values: Hashes) -> Hashes:
    """Apply splitmix64's finaliser (Steele, Lea & Flood 2014), which makes neighbouring integers unrelated."""
    values = (values + np.uint64(1)) * _FACTOR
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))
