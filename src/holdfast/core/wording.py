"""How a fault speaks of what it found: quoting, shortening, guessing what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_LONGEST = 60  # characters of a found text that a message repeats
_MOST = 500  # words that a guess looks through


def shorten(text: str, longest: int = _LONGEST) -> str:
    """The text, cut where it is longer."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def quote(text: str) -> str:
    """The text in quotes, shortened, with anything that does not print escaped."""
    return repr(shorten(text))


def printable(text: str) -> str:
    """The text itself where it prints, else escaped: a file name must not steer the terminal."""
    return text if text.isprintable() else ascii(text)


def closest(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that looks most like ``word``; None where none is close."""
    words = {candidate.lower(): candidate for candidate in sorted(allowed)[:_MOST]}
    close = difflib.get_close_matches(word[:_LONGEST].lower(), list(words), n=1, cutoff=0.6)
    return words[close[0]] if close else None


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the closest allowed word, or ``""`` where none is close."""
    meant = closest(word, allowed)
    return "" if meant is None or meant == word else f"; did you mean {quote(meant)}?"


def either(words: Sequence[object], joint: str = "or") -> str:
    """``a, b or c``."""
    texts = [str(word) for word in words]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {joint} {texts[-1]}"


def got(value: object) -> str:
    """What a file held, in a reader's words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list):
        return "an empty list" if not value else f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an empty mapping" if not value else f"a mapping with the key {quote(str(next(iter(value))))}"
    return quote(str(value))[1:-1]
