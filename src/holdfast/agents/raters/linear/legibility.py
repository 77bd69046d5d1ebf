"""Whether the linear rater can read a reply at all: it knows English words.

A reply in another language, or of emoji alone, would come out as 0 without having been rated. So a reply is unrated
where it holds no words, where most of its letters are not Latin, or where fewer than half of its words are known. Of
4,063 English replies in ESConv's failed dialogues and iEval, 38 are below that, nearly all of them keyboard mashing or
one misspelt word.
"""

import re
from collections.abc import Container

from holdfast.agents.raters.linear.features import normalise

NO_TEXT = "the reply holds no text"
NO_WORDS = "the reply holds no words: only emoji, numbers or signs"
OTHER_SCRIPT = "not in Latin letters, which the rater reads"
OTHER_WORDS = "the rater knows fewer than half of the words: another language?"
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def count_words(text: str, known: Container[str]) -> tuple[int, int]:
    """Return how many words a reply has, and how many of them are among ``known``, in lower case."""
    words = _WORD.findall(normalise(text))
    return len(words), sum(word in known for word in words)


def why_illegible(text: str, words: int, known: int) -> str:
    """Return why the rater cannot judge a reply, or "". ``words``, ``known``: from :func:`count_words`."""
    if not text.strip():
        return NO_TEXT
    if not words:
        return NO_WORDS
    if not text.isascii():
        letters = sum(map(str.isalpha, text))
        latin = sum(character.isalpha() and character < "\u0250" for character in text)
        if latin < letters / 2:
            return OTHER_SCRIPT
    return OTHER_WORDS if 2 * known < words else ""
