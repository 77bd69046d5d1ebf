"""How much simulated users talk like their persona, like themselves, and like people, by counting words.

Lexical substitutes for measures that need a judge model (prompt-to-line and line-to-line consistency; Abdulhai et
al. 2025, "Consistently Simulating Human Personas with Multi-Turn Reinforcement Learning"). They see no contradiction
and no paraphrase: use them to compare simulators, not to grade one.

Weights are TF-IDF over all lines and personas given: ``tf * (1 + ln((1 + N) / (1 + df)))``, as scikit-learn's default,
with rows of length 1, so similarities are cosines in [0, 1].
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from holdfast.simulator.measure.arrays import Floats

ACTS = ("question", "thanks", "feeling", "statement")

_WORD = re.compile(r"(?u)\b\w\w+\b")
_THANKS = re.compile(r"\b(?:thank(?:s| you)|appreciate|grateful|cheers)\b", re.IGNORECASE)
_AGREES = re.compile(
    r"\b(?:thank(?:s| you)|appreciate|that helps"
    r"|(?:that|this) (?:makes sense|is (?:true|right|good|great|helpful|kind))"
    r"|you(?:'re| are) (?:right|kind)"
    r"|good (?:idea|point|advice)|great (?:idea|point|advice)|I(?:'ll| will) (?:try|do)"
    r"|glad|sure|okay|ok|yes|yeah|exactly|absolutely)\b",
    re.IGNORECASE,
)
_FEELS = re.compile(r"\b(?:I(?:'m| am)|I feel|I felt|feel(?:s|ing)?|makes me|leaves me)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Realism:
    """One value per conversation (arrays of that length); nan where a conversation has too few lines."""

    prompt_to_line: Floats  # mean cosine of the persona's text and each line, 0-1
    line_to_line: Floats  # mean cosine of each line and all earlier ones together, 0-1
    stickiness: Floats  # share of lines whose act is that of the line before, 0-1
    stickiness_by_chance: Floats  # the same if the lines stood in any order
    words: Floats  # words per line
    agreeable: Floats  # share of lines that agree or thank, 0-1
    distinct: Floats  # share of lines that are unlike every earlier line of the conversation, 0-1

    @classmethod
    def of(cls, conversations: Sequence[Sequence[str]], personas: Sequence[str]) -> Realism:
        """Measure the user's lines of ``conversations``; ``personas``: the text of each conversation's speaker."""
        lines = [line for conversation in conversations for line in conversation]
        frequencies = DocumentFrequencies.of([*lines, *personas])
        rows = []
        for conversation, about in zip(conversations, personas, strict=True):
            weights = frequencies.weigh([*conversation, about])  # one conversation's words at a time: little memory
            own, persona = weights[:-1], weights[-1]
            sticky, chance = act_stickiness([act_of(line) for line in conversation])
            rows.append(
                (
                    _mean(own @ persona),
                    _mean(_to_earlier(own)),
                    sticky,
                    chance,
                    _mean([len(line.split()) for line in conversation]),
                    _mean([agrees(line) for line in conversation]),
                    len({line.casefold() for line in conversation}) / len(conversation) if conversation else np.nan,
                )
            )
        columns = np.array(rows, dtype=np.float64).reshape(-1, 7).T
        return cls(*columns)


def act_of(line: str) -> str:
    """Return the speech act of a line, by its form: one of :data:`ACTS`."""
    if _THANKS.search(line):
        return "thanks"
    if "?" in line:
        return "question"
    return "feeling" if _FEELS.search(line) else "statement"


def agrees(line: str) -> bool:
    """Return whether a line agrees or thanks, by its words."""
    return bool(_AGREES.search(line))


def act_stickiness(acts: Sequence[str]) -> tuple[float, float]:
    """Return the share of neighbouring lines with the same act, and that expected in random order; nan below two.

    Of n lines with counts c, two drawn without replacement agree with probability sum c (c - 1) / (n (n - 1)).
    """
    n = len(acts)
    if n < 2:
        return np.nan, np.nan
    same = sum(act == following for act, following in pairwise(acts)) / (n - 1)
    return same, sum(count * (count - 1) for count in Counter(acts).values()) / (n * (n - 1))


@dataclass(frozen=True, slots=True)
class DocumentFrequencies:
    """Document frequencies: in how many of ``texts`` texts each word occurs."""

    texts: int
    with_word: Mapping[str, int]

    @classmethod
    def of(cls, texts: Sequence[str]) -> DocumentFrequencies:
        """Count over ``texts``."""
        return cls(len(texts), Counter(word for text in texts for word in _words(text)))

    def weigh(self, texts: Sequence[str]) -> Floats:
        """Return TF-IDF weights, texts x their words (sorted); rows have length 1, or 0 without a word of two letters.

        Each of ``texts`` must be among those counted.
        """
        bags = [_words(text) for text in texts]
        words = {word: column for column, word in enumerate(sorted({word for bag in bags for word in bag}))}
        counts = np.zeros((len(bags), len(words)))
        for row, bag in enumerate(bags):
            counts[row, [words[word] for word in bag]] = list(bag.values())
        document_frequency = np.array([self.with_word[word] for word in words])
        weights = counts * (1 + np.log((1 + self.texts) / (1 + document_frequency)))
        length = np.linalg.norm(weights, axis=1, keepdims=True)
        return np.asarray(weights / np.where(length > 0, length, 1), dtype=np.float64)


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.casefold()))


def _to_earlier(lines: Floats) -> Floats:
    """Return the cosine of each line from the second on with the sum of those before it; 0 where either is empty."""
    before = np.cumsum(lines, axis=0)[:-1]
    length = np.linalg.norm(before, axis=1)
    return np.asarray((lines[1:] * before).sum(axis=1) / np.where(length > 0, length, 1), dtype=np.float64)


def _mean(values: Floats | Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else np.nan
