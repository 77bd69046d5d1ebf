"""From replies to sparse features: words, word pairs and word triples of every sentence, found without a Python loop.

A reply is judged sentence by sentence, because human levels are set by the strongest sentence of a reply, while in a
bag of words of the whole reply the advice that stands beside that sentence dilutes it; and also as a whole, because
together they agree better with people than either. Everything after the look-up of
each word's number is numpy on flat arrays, so that thousands of replies a second fit on one core.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

START = "<s>"  # opens every sentence, so that "sorry" as its first word differs from "sorry" inside
ENDS = (".", "!", "?", "\n")
SIZES = (1, 2, 3)
NO_SENTENCE = -20.0  # the logit of a reply without words
SENTENCE_POWER, REPLY_POWER = 1.0, 0.5  # of the length by which features are divided: 1 makes every row a unit vector
_CURLY = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u2026": "."})
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+|[.!?\n]|<3|:\)|:\(")


def normalise(text: str) -> str:
    """Lower case, straight apostrophes. Never changes the length of ASCII text."""
    return text.lower().translate(_CURLY)


def tokens(text: str) -> list[str]:
    """Words, numbers, sentence ends (``. ! ?`` and line ends) and three emoticons of ``text``, in order."""
    words: list[str] = _TOKEN.findall(normalise(text))
    return words


def vocabulary(texts: Iterable[str], least: int) -> tuple[str, ...]:
    """:data:`START`, :data:`ENDS` and, sorted, every word that ``least`` texts or more hold."""
    seen = Counter(word for text in texts for word in set(tokens(text)))
    return (START, *ENDS, *sorted(word for word, count in seen.items() if count >= least and word not in ENDS))


def numbered(words: Iterable[str]) -> dict[str, int]:
    """Each known word's number, from 1."""
    return {word: number for number, word in enumerate(words, start=1)}


def rarity(count: Ints, texts: int) -> Floats:
    """Inverse document frequency of what occurs in ``count`` of so many texts."""
    return np.asarray(np.log((1 + texts) / (1 + count)) + 1)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where each sentence begins and ends in ``normalise(text)``: the same sentences as :func:`cut` makes."""
    spans: list[tuple[int, int, bool]] = []
    after_end = True
    for match in _TOKEN.finditer(normalise(text)):
        is_end = match.group() in ENDS
        if not spans or (after_end and not is_end):
            spans.append((match.start(), match.end(), not is_end))
        else:
            begin, _, worded = spans[-1]
            spans[-1] = (begin, match.end(), worded or not is_end)
        after_end = is_end
    return [(begin, end) for begin, end, worded in spans if worded]


@dataclass(frozen=True, slots=True)
class Sentences:
    """Token numbers of R replies, cut into S sentences of T tokens in all.

    ``ids``: (T,) token numbers, 0 for an unknown word, each sentence opened by the number of :data:`START`;
    ``sentence``: (T,) the sentence of each token, 0 to S-1; ``reply``: (S,) the reply of each sentence, 0 to R-1.
    A reply without any word has no sentence.
    """

    ids: Ints
    sentence: Ints
    reply: Ints


def cut(texts: Sequence[str], numbers: Mapping[str, int]) -> Sentences:
    """Cut ``texts`` into sentences of token numbers.

    ``numbers`` maps :data:`START`, :data:`ENDS` and every known word to 1, 2, ...; a word that it lacks becomes 0.
    """
    token_lists = [tokens(text) for text in texts]
    get = numbers.get
    flat = np.array([get(token, 0) for token in chain.from_iterable(token_lists)], dtype=np.int64)
    reply = np.repeat(np.arange(len(token_lists)), [len(each) for each in token_lists])
    if not len(flat):
        return Sentences(flat, flat, flat)
    is_end = (flat[:, None] == [numbers[mark] for mark in ENDS]).any(axis=1)
    first = np.ones(len(flat), dtype=bool)
    first[1:] = (reply[1:] != reply[:-1]) | (is_end[:-1] & ~is_end[1:])
    sentence = np.cumsum(first) - 1
    starts = first.nonzero()[0]
    worded = np.bincount(sentence, weights=~is_end) > 0  # a lone "..." is no sentence
    ids = np.full(len(flat) + len(starts), numbers[START])
    ids[np.arange(len(flat)) + sentence + 1] = flat  # what stands between them opens a sentence
    sentence = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(flat)) + 1)
    keep = worded[sentence]
    return Sentences(ids[keep], (np.cumsum(worded) - 1)[sentence[keep]], reply[starts][worded])


def grams(cut_up: Sentences, base: int) -> tuple[Ints, Ints]:
    """Every run of one to three known tokens within a sentence, as (key, sentence), both (N,).

    A key reads the run's token numbers as digits in ``base``, which must be above every token number; since no digit
    is 0, runs of different sizes never share a key.
    """
    keys, places = [], []
    for size in SIZES:
        count = max(len(cut_up.ids) - size + 1, 0)
        key = np.zeros(count, dtype=np.int64)
        known = cut_up.sentence[:count] == cut_up.sentence[size - 1 : size - 1 + count]
        for offset in range(size):
            part = cut_up.ids[offset : offset + count]
            key = key * base + part
            known &= part > 0
        keys.append(key[known])
        places.append(cut_up.sentence[:count][known])
    return np.concatenate(keys), np.concatenate(places)
