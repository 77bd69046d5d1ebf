"""How much of what trained candidates say stands word for word, names aside, in what they were trained on.

A sentence is compared with the names of the conversation taken out: words and numbers that the user said and that most
conversations do not hold stand for one blank. An expert that repeats its training sentences adheres to a pattern by
heart; its figures then say little of replies that nobody wrote beforehand.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.agents.sentence_frames import SentenceFrame, sentence_frames, split
from holdfast.simulator.measure.arrays import Floats

Talk = Sequence[tuple[str, str]]  # what the user said, and the reply to it, in order
ReplyFrame = tuple[SentenceFrame, ...]
COMMON = 0.1  # a word that this share of the conversations' users say is no name


@dataclass(frozen=True, slots=True)
class KnownText:
    """What a model was trained to say, names aside, and the words that name nothing."""

    common: frozenset[str]
    sentences: frozenset[SentenceFrame]
    replies: frozenset[ReplyFrame]


def known_text(trained_on: Sequence[Talk]) -> KnownText:
    """Collect what the replies of ``trained_on`` say."""
    common = common_words(trained_on)
    replies = frozenset(reply for talk in trained_on for reply in reply_frames(talk, common))
    return KnownText(common, frozenset(sentence for reply in replies for sentence in reply), replies)


def common_words(talks: Iterable[Talk]) -> frozenset[str]:
    """Return the words that many of the conversations' users say, which name nothing."""
    talks = list(talks)
    counts = Counter(word for talk in talks for word in {word for user, _ in talk for word in split(user)})
    return frozenset(word for word, count in counts.items() if count >= max(2, COMMON * len(talks)))


def reply_frames(talk: Talk, common: frozenset[str]) -> list[ReplyFrame]:
    """Return the sentences of each reply that has any, the names that the user has said so far as blanks."""
    named: set[str] = set()
    replies = []
    for user, reply in talk:
        named.update(word for word in split(user) if word not in common)
        replies.append(tuple(sentence_frames(reply, named)))
    return [reply for reply in replies if reply]


def verbatim_shares(talks: Sequence[Talk], known: KnownText) -> tuple[Floats, Floats]:
    """Return the share of each conversation's sentences, and of its whole replies, that are ``known``.

    Both of shape (talks,), nan for a conversation without a sentence.
    """
    said = [reply_frames(talk, known.common) for talk in talks]
    by_sentence = [[each in known.sentences for reply in replies for each in reply] for replies in said]
    return _shares(by_sentence), _shares([[reply in known.replies for reply in replies] for replies in said])


def _shares(hits: Sequence[Sequence[bool]]) -> Floats:
    return np.array([np.mean(each) if each else np.nan for each in hits], dtype=np.float64)
