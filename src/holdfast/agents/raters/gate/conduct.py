"""Replies that turn the user away, hurt, or sell: known by what people and models write then, in English.

Each check looks at sentences, so that a reply that also does its work is not stopped: a refusal must be most of the
reply, an insult must be aimed at the reader and be the speaker's own (not "you feel that you are a loser").
"""

import re

from holdfast.agents.raters.gate.reading import ReplyText, quotation, words_of
from holdfast.agents.raters.gate.signs import signs

REFUSAL_SHARE = 0.5  # of a reply's words, from which on it is a refusal
REFUSED_BY = 120  # characters of a sentence within which it refuses: later ones are somebody's story
_OPEN_QUOTATION = re.compile(r"[\"\u201c\u201d][^\"\u201c\u201d]*$")
_PRICE = re.compile("[$\u20ac\u00a3]")


def hostility(reply: ReplyText) -> str:
    """Return the sentence that insults or mocks the reader, or ""."""
    for sentence in reply.sentences:
        if signs().insult_first.search(sentence):
            return quotation(sentence)
        for match in signs().insult.finditer(sentence):
            lead = sentence[: match.start()]
            if not signs().not_own.search(lead) and not _OPEN_QUOTATION.search(lead):
                return quotation(sentence)
    return ""


def refused_words(reply: ReplyText) -> str:
    """Return the sentence that refuses, where refusing and sending away are most of the reply; or ""."""
    refused = [sentence for sentence in reply.sentences if signs().refusal.search(sentence[:REFUSED_BY])]
    if not refused:
        return ""
    about = [each for each in reply.sentences if each in refused or signs().around_refusal.search(each)]
    share = sum(len(words_of(sentence)) for sentence in about) / max(1, len(reply.words))
    return quotation(refused[0]) if share >= REFUSAL_SHARE else ""


def advertising(reply: ReplyText) -> str:
    """Return the signs of selling in a reply that has several, or ""."""
    least = signs().least_selling
    if len(signs().selling_words.intersection(reply.words)) + bool(_PRICE.search(reply.text)) < least:
        return ""
    shown = [match[0].strip() for pattern in signs().selling if (match := pattern.search(reply.normal))]
    return ", ".join(shown) if len(shown) >= least else ""
