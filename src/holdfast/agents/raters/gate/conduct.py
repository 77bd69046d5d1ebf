"""Replies that turn the user away or sell: known by what people and models write then, in English.

A reply that also does its work is not stopped: refusing must be most of it, and one sign of selling is not enough.
"""

import re
from dataclasses import dataclass
from functools import cache

from holdfast.agents.raters.gate.reading import ReplyText, quotation, words_of
from holdfast.agents.raters.gate.worded import Pattern, WordedPatterns, any_of, lexicon, worded

REFUSAL_SHARE = 0.5  # of a reply's words, from which on it is a refusal
REFUSED_BY = 120  # characters of a sentence within which it refuses: later ones are somebody's story


@dataclass(frozen=True, slots=True)
class ConductSigns:
    """``around_refusal``: what else a refusal consists of; ``least_selling``: how many signs of selling are needed."""

    refusal: WordedPatterns
    around_refusal: Pattern
    selling: WordedPatterns
    least_selling: int


@cache
def conduct_signs() -> ConductSigns:
    """Return the signs that holdfast ships."""
    raw = lexicon("signs")
    refusal, selling = raw["refusal"], raw["advertising"]
    speaker = rf"an? {any_of(refusal['speaker'])}\b"
    unable = (
        rf"\b(?:i|we)(?: (?:really|simply|just|unfortunately))? ?{any_of(refusal['unable'])}(?: (?:be )?able to)?"
        rf"(?: \w+)? {any_of(refusal['service'])}(?:ing)?(?!\w| but\b)"
    )
    machine = rf"\b(?:as|i(?:'m| am)(?: just| only)?) {speaker}(?=.*\b(?:can't|cannot|unable|don't|not)\b)(?!.*\bbut\b)"
    own = {" ".join(refusal["unable_words"]): unable, " ".join(refusal["speaker_words"]): machine}
    return ConductSigns(
        worded(own | refusal["other"]),
        re.compile(any_of(refusal["around"])),
        worded(selling["patterns"]),
        selling["least"],
    )


def refused_words(reply: ReplyText) -> str:
    """Return the sentence that refuses, where refusing and sending away are most of the reply; or ""."""
    signs = conduct_signs()
    patterns = [signs.refusal.patterns[place] for place in signs.refusal.likely(reply.word_set)]
    if not patterns:
        return ""
    refused = [
        sentence for sentence in reply.sentences if any(pattern.search(sentence, 0, REFUSED_BY) for pattern in patterns)
    ]
    if not refused:
        return ""
    about = [each for each in reply.sentences if each in refused or signs.around_refusal.search(each)]
    share = sum(len(words_of(sentence)) for sentence in about) / max(1, len(reply.words))
    return quotation(refused[0]) if share >= REFUSAL_SHARE else ""


def advertising(reply: ReplyText) -> str:
    """Return the signs of selling in a reply that has several, or ""."""
    signs = conduct_signs()
    if len(signs.selling.likely(reply.word_set)) < signs.least_selling:
        return ""
    shown = signs.selling.matches(reply.word_set, reply.normal)
    return ", ".join(shown) if len(shown) >= signs.least_selling else ""
