"""The frame of a sentence: its words in order, case folded, each run of names as one blank.

Two sentences that differ in names only have the same frame; what counts as a name, the caller says.
"""

import re
from collections.abc import Container, Iterable

from holdfast.agents.naming import phrase_regex

SentenceFrame = tuple[str, ...]

BLANK = "_"
_WORD = re.compile(r"\w+(?:['\N{RIGHT SINGLE QUOTATION MARK}]\w+)*")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")


def split(text: str) -> list[str]:
    """Return the words of a text, case folded; digits count as words, punctuation does not."""
    return _WORD.findall(text.casefold().replace("_", " "))


def sentence_frames(text: str, named: Container[str]) -> list[SentenceFrame]:
    """Return the frame of each sentence with a word; words among ``named`` are blanks."""
    return _frames([BLANK if word in named else word for word in split(each)] for each in _SENTENCE.findall(text))


def blanked(text: str, phrases: Iterable[str]) -> str:
    """Return ``text`` with a blank for each of ``phrases``, as :func:`~holdfast.agents.naming.names` finds them."""
    text = text.replace(BLANK, " ")
    for phrase in phrases:
        text = phrase_regex(phrase).sub(f" {BLANK} ", text)
    return text


def blanked_frames(text: str) -> list[SentenceFrame]:
    """Return the frame of each sentence of a text that :func:`blanked` returned."""
    return _frames(_WORD.findall(each.casefold()) for each in _SENTENCE.findall(text))


def _frames(sentences: Iterable[list[str]]) -> list[SentenceFrame]:
    return [_one_blank_a_run(words) for words in sentences if words]


def _one_blank_a_run(words: list[str]) -> SentenceFrame:
    return tuple(word for before, word in zip(["", *words], words, strict=False) if not word == before == BLANK)
