"""Which language a reply is written in, for raters that know only some.

English is known by its commonest words. Only where these are rare is a library asked (py3langid, Barbaresi's successor
of langid.py, Lui and Baldwin 2012): it reads a reply in half a millisecond, but takes a second to load.
"""

from collections.abc import Collection
from functools import cache
from typing import Any

from holdfast.agents.raters.gate.reading import ReplyText
from holdfast.agents.raters.gate.worded import commonest_words

ENGLISH = frozenset(("en",))
UNKNOWN_LANGUAGE = "in a language that the rater does not know"  # before its code
LEAST_WORDS = 3  # shorter replies are not judged
COMMON_SHARE, COMMON_WORDS = 0.15, 2  # of the words, and different ones: from here on a reply is English
SURE = 0.5  # the library's probability, from which on it is believed


def unknown_language(reply: ReplyText, known: Collection[str]) -> str:
    """Return why a rater of the languages ``known`` (ISO 639-1 codes) cannot rate a reply; "" where it can, or where
    nobody can tell."""
    words = reply.words
    if len(words) < LEAST_WORDS:
        return ""
    commonest = commonest_words()
    common = [word for word in words if word in commonest]
    english = len(common) >= COMMON_SHARE * len(words) and len(set(common)) >= COMMON_WORDS
    language = "en" if english else _by_library(reply.text)
    return "" if not language or language in known else f"{UNKNOWN_LANGUAGE} ({language})"


def _by_library(text: str) -> str:
    """Return the likeliest language; "" where none is likely."""
    language, probability = _identifier().classify(text)
    return str(language) if probability >= SURE else ""


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
