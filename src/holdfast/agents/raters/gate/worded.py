"""The gate's lexicons, and patterns that are only tried on a text that holds one of their words.

A set of words is looked through much sooner than a text is searched.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Pattern = re.Pattern[str]


@cache
def lexicon(name: str) -> dict[str, Any]:
    """Return what ``NAME.yaml`` beside this module holds."""
    raw: dict[str, Any] = yaml.safe_load(Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8"))
    return raw


@cache
def commonest_words() -> frozenset[str]:
    """Return the commonest English words."""
    return frozenset(lexicon("signs")["common"])


@cache
def polite_words() -> frozenset[str]:
    """Return the English words with which greetings, thanks and wishes begin: people say them back."""
    return frozenset(lexicon("signs")["polite"])


@dataclass(frozen=True, slots=True)
class WordedPatterns:
    """``by_word``: to each word, in lower case, the places of the patterns that it is a sign of, and which words a
    text must have beside it."""

    patterns: tuple[Pattern, ...]
    by_word: Mapping[str, tuple[tuple[int, frozenset[str]], ...]]
    words: frozenset[str]

    def likely(self, words: frozenset[str]) -> list[int]:
        """Return the places of the patterns that a text of these words could match, in order."""
        if self.words.isdisjoint(words):
            return []
        by_word = self.by_word
        return sorted({place for word in self.words & words for place, beside in by_word[word] if beside <= words})

    def matches(self, words: frozenset[str], text: str) -> list[str]:
        """Return the first match of each pattern in a text that has these ``words``, in the patterns' order."""
        tried = (self.patterns[place].search(text) for place in self.likely(words))
        return [match[0].strip() for match in tried if match]


def worded(patterns: Mapping[str, str]) -> WordedPatterns:
    """Compile patterns, each under the words (with spaces between) of which a text must have one; of words with "+"
    between, all."""
    by_word = defaultdict[str, list[tuple[int, frozenset[str]]]](list)
    for place, keys in enumerate(patterns):
        for key in keys.split():
            word, *beside = key.split("+")
            by_word[word].append((place, frozenset(beside)))
    return WordedPatterns(
        tuple(re.compile(pattern) for pattern in patterns.values()),
        {word: tuple(signs) for word, signs in by_word.items()},
        frozenset(by_word),
    )


def any_of(patterns: Collection[str]) -> str:
    """Return the pattern that matches where any of ``patterns`` does."""
    return f"(?:{'|'.join(patterns)})"
