"""Does a text name a phrase? The one rule by which dialogues are filtered and replies measured."""

from __future__ import annotations

import re
from functools import lru_cache

DETERMINERS = ("the", "my", "your", "our", "this", "that")
_DETERMINER = f"(?:{'|'.join(DETERMINERS)})"


def names(phrase: str, text: str) -> bool:
    """Whether ``text`` holds ``phrase`` as whole words, whatever the case; the, my, your, our, this and that are
    interchangeable: "my report" is named by "your report", but not by "report" or "reports"."""
    return pattern_of(phrase).search(text) is not None


@lru_cache(maxsize=8192)
def pattern_of(phrase: str) -> re.Pattern[str]:
    """What :func:`names` searches for."""
    words = (_DETERMINER if word in DETERMINERS else re.escape(word) for word in phrase.casefold().split())
    return re.compile(r"(?<!\w)" + r"\s+".join(words) + r"(?!\w)", re.IGNORECASE)
