"""A reply as the checks of the gate read it, with what it answers: words, sentences, runs of words."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from holdfast.agents.protocols import Message
from holdfast.agents.raters.linear.features import normalise

MOST_CHARS = 20_000  # of a text that are read: bounds the time
SHOWN = 120  # characters of a quotation
KEPT_TEXTS, KEPT_CHARS = 2_048, 2_000  # texts whose words are kept, none longer: bounds the memory
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_]+(?:'[^\W_]+)*")  # one sign of Chinese is a word
_SENTENCE = re.compile(r"[^.!?\n\u3002]+[.!?\u3002]*")
_CLAUSE = re.compile(r"[^.,;:!?\n\u3002\uff0c]+")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in lower case, without signs; of Chinese and Japanese, the characters."""
    return _words_kept(text) if len(text) <= KEPT_CHARS else _words(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(normalise(text[:MOST_CHARS])))


#: A reply is read again as the reply before, and by each of a study's raters.
_words_kept = lru_cache(maxsize=KEPT_TEXTS)(_words)


@lru_cache(maxsize=KEPT_TEXTS)
def _word_set_kept(text: str) -> frozenset[str]:
    return frozenset(_words_kept(text))


def word_set_of(text: str) -> frozenset[str]:
    """Return the different words of a text."""
    return _word_set_kept(text) if len(text) <= KEPT_CHARS else frozenset(_words(text))


def clauses_of(normal: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of each clause of a text in lower case: what stands between two marks of punctuation."""
    return (tuple(_WORD.findall(clause)) for clause in _CLAUSE.findall(normal))


def runs_of(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """Return every run of ``size`` words, in order."""
    return list(zip(*(words[start:] for start in range(size)), strict=False))


def covered(starts: Iterable[int], size: int) -> set[int]:
    """Return the places of the words that lie in runs of ``size`` words, given where each run starts."""
    return {place for start in starts for place in range(start, start + size)}


def shared(words: Sequence[str], others: Sequence[str], size: int) -> set[int]:
    """Return the places of the words that lie in a run of ``size`` words that ``others`` has too."""
    known = set(runs_of(others, size))
    return covered((start for start, run in enumerate(runs_of(words, size)) if run in known), size)


def quotation(text: str, most: int = SHOWN) -> str:
    """Return a text on one line, cut where it is longer than ``most`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


@dataclass(frozen=True)
class ReplyText:
    """A reply and what it answers. ``asked``: the user's messages since the reply before; ``before``: that reply, ""
    where there is none; ``conversation``: all messages before the reply."""

    text: str
    asked: str = ""
    before: str = ""
    conversation: tuple[Message, ...] = ()

    @cached_property
    def normal(self) -> str:
        """The text in lower case with straight apostrophes."""
        return normalise(self.text[:MOST_CHARS])

    @cached_property
    def words(self) -> tuple[str, ...]:
        return words_of(self.text)

    @cached_property
    def word_set(self) -> frozenset[str]:
        return word_set_of(self.text)

    @cached_property
    def sentences(self) -> list[str]:
        """The sentences of ``normal``, without space around them."""
        return [part for each in _SENTENCE.findall(self.normal) if (part := each.strip())]


def replies_in(turns: Iterable[tuple[str, str]]) -> Iterator[ReplyText]:
    """Yield the reply of each turn, given as (the user's message, the reply); "" where there is none."""
    messages, asked, before = list[Message](), list[str](), ""
    for user, text in turns:
        messages.append(Message("user", user))
        asked.append(user)
        yield ReplyText(text, "\n".join(asked), before, tuple(messages))
        if text.strip():
            messages.append(Message("assistant", text))
            asked, before = [], text


def reply_texts(messages: Sequence[Message], *, whole: bool) -> Iterable[ReplyText]:
    """Yield the last reply, or with ``whole`` every reply that has words, each with what it answers."""
    last = max((n for n, message in enumerate(messages) if message.role == "assistant"), default=-1)
    for place in range(last + 1) if whole else ([last] if last >= 0 else []):
        message = messages[place]
        if message.role != "assistant" or (whole and not message.content.strip()):
            continue
        asked, before = list[str](), ""
        for earlier in reversed(messages[:place]):
            if earlier.role == "assistant" and earlier.content.strip():
                before = earlier.content
                break
            if earlier.role == "user":
                asked.append(earlier.content)
        yield ReplyText(message.content, "\n".join(reversed(asked)), before, tuple(messages[:place]))
