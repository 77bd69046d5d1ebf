"""Parts of error messages: quoting, shortening, listing, guessing what was meant."""

import difflib
from collections.abc import Iterable, Sequence

_LONGEST = 60  # characters of the user's text that a message repeats
_MOST = 500  # words that are searched for the closest


def shorten(text: str, longest: int = _LONGEST) -> str:
    """Return the text, cut to ``longest`` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, with the second where it ends with a colon; for an empty message
    the error's type."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[: 2 if lines and lines[0].endswith(":") else 1]) or type(error).__name__


def quote(text: str) -> str:
    """Return the text in quotes, shortened, with unprintable characters escaped."""
    return repr(shorten(text))


def printable(text: str) -> str:
    """Return the text itself where it prints, else escaped: a file name must not steer the terminal."""
    return text if text.isprintable() else ascii(text)


def closest(word: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed word most like ``word``; None where none is close."""
    words = {candidate.lower(): candidate for candidate in sorted(allowed)[:_MOST]}
    close = difflib.get_close_matches(word[:_LONGEST].lower(), list(words), n=1, cutoff=0.6)
    return words[close[0]] if close else None


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest allowed word, or ``""`` where none is close."""
    meant = closest(word, allowed)
    return "" if meant is None or meant == word else f"; did you mean {meant!r}?"


def either(words: Sequence[object]) -> str:
    """Join words: ``a, b or c``."""
    texts = [str(word) for word in words]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"


def how_many(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: ``1 turn``, ``1,234 turns``, ``2 replies`` (the ``plural`` given)."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def describe_value(value: object) -> str:
    """Describe a value of a file: ``nothing``, ``true``, ``a list of 3``."""
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
