"""Whether a text names a phrase: the rule for filtering dialogues and measuring replies."""

import re
from functools import lru_cache

DETERMINERS = ("the", "my", "your", "our", "this", "that")
_DETERMINER = f"(?:{'|'.join(DETERMINERS)})"


def names(phrase: str, text: str) -> bool:
    """Return whether ``text`` holds ``phrase`` as whole words, ignoring case.

    The, my, your, our, this and that are interchangeable: "your report" names "my report"; "report" does not.
    """
    return phrase_regex(phrase).search(text) is not None


@lru_cache(maxsize=8192)
def phrase_regex(phrase: str) -> re.Pattern[str]:
    """Return the regular expression that :func:`names` searches for."""
    words = (_DETERMINER if word in DETERMINERS else re.escape(word) for word in phrase.casefold().split())
    return re.compile(r"(?<!\w)" + r"\s+".join(words) + r"(?!\w)", re.IGNORECASE)
