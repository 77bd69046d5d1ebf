"""How much of what trained candidates say stands word for word, names aside, in what they were trained on.

A sentence is compared with the names of the conversation taken out: words and numbers that the user said and that most
conversations do not hold stand for one blank. An expert that repeats its training sentences adheres to a pattern by
heart; its figures then say little of replies that nobody wrote beforehand.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.text.ngrams import split

Talk = Sequence[tuple[str, str]]  # what the user said, and the reply to it, in order
COMMON = 0.1  # a word that this share of the conversations' users say is no name
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
BLANK = "_"


def common_words(talks: Iterable[Talk]) -> frozenset[str]:
    """Return the words that many of the conversations' users say, which name nothing."""
    talks = list(talks)
    counts = Counter(word for talk in talks for word in {word for user, _ in talk for word in split(user)})
    return frozenset(word for word, count in counts.items() if count >= max(2, COMMON * len(talks)))


def sentences(talk: Talk, common: frozenset[str]) -> list[list[tuple[str, ...]]]:
    """Return the sentences of each reply, the names that the user has said so far as blanks."""
    named: set[str] = set()
    replies = []
    for user, reply in talk:
        named.update(word for word in split(user) if word not in common)
        replies.append([_masked(sentence, named) for sentence in _SENTENCE.findall(reply) if split(sentence)])
    return replies


def verbatim_share(talks: Sequence[Talk], known: frozenset[tuple[str, ...]], common: frozenset[str]) -> Floats:
    """Return the share of each conversation's sentences that are among ``known``; (talks,), nan without a sentence."""
    shares = []
    for talk in talks:
        own = [sentence for reply in sentences(talk, common) for sentence in reply]
        shares.append(np.mean([sentence in known for sentence in own]) if own else np.nan)
    return np.array(shares, dtype=np.float64)


def _masked(sentence: str, named: set[str]) -> tuple[str, ...]:
    """The sentence's words, each run of names as one blank."""
    words: list[str] = []
    for word in split(sentence):
        shown = BLANK if word in named else word
        if shown != BLANK or words[-1:] != [BLANK]:
            words.append(shown)
    return tuple(words)
