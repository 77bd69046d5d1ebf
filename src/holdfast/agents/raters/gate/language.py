"""Which language a reply is written in, for raters that know only some.

English is known by its commonest words. Only where these are rare is a library asked (:mod:`holdfast.core.language`).
"""

from collections.abc import Collection, Sequence

from holdfast.agents.raters.gate.reading import ReplyText
from holdfast.agents.raters.gate.worded import commonest_words
from holdfast.core.language import likely_language

ENGLISH = frozenset(("en",))
UNKNOWN_LANGUAGE = "in a language that the rater does not know"  # before its code
LEAST_WORDS = 3  # shorter replies are not judged
COMMON_SHARE, COMMON_WORDS = 0.15, 2  # of the words, and different ones: from here on a reply is English


def plainly_english(words: Sequence[str]) -> bool:
    """Return whether enough of the words are among the commonest of English."""
    commonest = commonest_words()
    common = [word for word in words if word in commonest]
    return len(common) >= COMMON_SHARE * len(words) and len(set(common)) >= COMMON_WORDS


def unknown_language(reply: ReplyText, known: Collection[str]) -> str:
    """Return why a rater of the languages ``known`` (ISO 639-1 codes) cannot rate a reply; "" where it can, or where
    nobody can tell."""
    words = reply.words
    if len(words) < LEAST_WORDS:
        return ""
    language = "en" if plainly_english(words) else likely_language(reply.text)
    return "" if not language or language in known else f"{UNKNOWN_LANGUAGE} ({language})"
