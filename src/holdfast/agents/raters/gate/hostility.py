"""Replies that insult, mock, blame or dismiss the reader: known by how such sentences are built, in English.

A sign must be aimed at the reader and be the speaker's own: not "you feel that you are a loser", not an insult in
quotation marks, not one that the user told of. Some signs are enough alone; of weaker ones ("who would have
thought?", "Impressive." after a loss) a reply must have two.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

from holdfast.agents.raters.gate.reading import ReplyText, quotation
from holdfast.agents.raters.gate.worded import Pattern, WordedPatterns, any_of, lexicon, worded
from holdfast.agents.raters.linear.features import normalise

LEAST_WEAK = 2  # different weak signs
LEADS = 4  # words such as "oh" or "just" before a sign, at most
LEAD_CHARS, QUOTED_CHARS = 30, 400  # before a sign, within which a word, or a quotation mark, makes it somebody else's
_OPEN_QUOTATION = re.compile(r"[\"\u201c\u201d][^\"\u201c\u201d]*$|(?:^|[\s(])'[^']*$")


@dataclass(frozen=True, slots=True)
class SentenceSigns:
    """Signs of a sentence. ``loose``: their patterns without bounds, tried on a whole text before ``sources``, which
    say where in a sentence a sign stands, are tried on each sentence."""

    loose: WordedPatterns
    sources: tuple[str, ...]

    def likely(self, reply: ReplyText) -> dict[int, Pattern]:
        """Return the patterns that a sentence of the reply could match, by their place."""
        places = self.loose.likely(reply.word_set)
        return {n: _compiled(self.sources[n]) for n in places if self.loose.patterns[n].search(reply.normal)}


@dataclass(frozen=True, slots=True)
class HostileSigns:
    """``strong``: one is enough. ``weak``: several are needed; some count only ``after`` the user said something, and
    not after other things: by their place, the pattern that must match the message and the one that must not."""

    strong: SentenceSigns
    weak: SentenceSigns
    after: Mapping[int, tuple[Pattern, Pattern]]
    not_own: Pattern


@cache
def hostile_signs() -> HostileSigns:
    """Return the signs that holdfast ships."""
    raw = lexicon("hostility")
    conditional = raw["weak_after"]
    weak = raw["weak"] | {" ".join(sign["words"]): sign["pattern"] for sign in conditional}
    conditions = [(_any_of(sign["after"]), _any_of(sign.get("not_after", ()))) for sign in conditional]
    start = rf"(?:^|[,;:] )(?:{any_of(raw['lead'])},? ){{0,{LEADS}}}"
    return HostileSigns(
        strong=_of_sentences({" ".join(raw["insults"]["words"]): _insult(raw["insults"])} | raw["strong"], start),
        weak=_of_sentences(weak, start),
        after={len(raw["weak"]) + place: both for place, both in enumerate(conditions)},
        not_own=re.compile(rf"\b{any_of(raw['not_own'])}\b[^.;!?]{{0,{LEAD_CHARS}}}$"),
    )


def hostility(reply: ReplyText) -> str:
    """Return the sentence that insults, mocks, blames or dismisses the reader, or ""."""
    signs = hostile_signs()
    strong, weak = signs.strong.likely(reply), signs.weak.likely(reply)
    if not strong and len(weak) < LEAST_WEAK:
        return ""
    sentences = dict[int, str]()  # by the weak sign that it shows
    for sentence in reply.sentences:
        if any(_is_own(signs, pattern, sentence, reply) for pattern in strong.values()):
            return quotation(sentence)
        for place in weak.keys() - sentences.keys():
            if _is_own(signs, weak[place], sentence, reply) and _comes_after(signs, place, reply):
                sentences[place] = sentence
    return quotation(" ".join(dict.fromkeys(sentences.values()))) if len(sentences) >= LEAST_WEAK else ""


def _comes_after(signs: HostileSigns, place: int, reply: ReplyText) -> bool:
    """Whether the user said what a weak sign asks for."""
    if place not in signs.after:
        return True
    wanted, unwanted = signs.after[place]
    asked = normalise(reply.asked)
    return bool(wanted.search(asked)) and not unwanted.search(asked)


def _is_own(signs: HostileSigns, pattern: Pattern, sentence: str, reply: ReplyText) -> bool:
    """Whether a sentence shows a sign that is the speaker's own, and not told or quoted from the user."""
    for match in pattern.finditer(sentence):
        lead = sentence[max(0, match.start() - QUOTED_CHARS) : match.start()]
        shown = match[0].strip(" ,;:.!?")
        if signs.not_own.search(lead[-2 * LEAD_CHARS :]) or _OPEN_QUOTATION.search(lead):
            continue
        if len(shown) == len(sentence.strip(" .!?")) or shown not in normalise(reply.asked):
            return True
    return False


def _of_sentences(patterns: Mapping[str, str], start: str) -> SentenceSigns:
    """Signs whose "^" stands for ``start`` and "$" for the end of a sentence whatever its signs."""
    loose = {words: re.sub(r"\\A|[$^]", "", pattern) for words, pattern in patterns.items()}
    sources = tuple(pattern.replace("^", start).replace("$", r"\W*$") for pattern in patterns.values())
    return SentenceSigns(worded(loose), sources)


_compiled = cache(re.compile)


def _any_of(words: Collection[str]) -> Pattern:
    """What matches any of the words; nothing where there are none."""
    return re.compile(rf"\b{any_of(words)}\b" if words else "(?!)")


def _insult(raw: Mapping[str, list[str]]) -> str:
    """An insult said of the reader: "you are (such a) ...", "you stupid ..."."""
    insults = any_of(raw["after_you"])
    forms = (
        rf"(?:you|u)(?: really| clearly| truly)?(?: ?'?re| are|'re being| sound)"
        rf"(?: {any_of(raw['between'])})* {insults}",
        rf"(?:you|your) {any_of(raw['after_your'])} {insults}",
    )
    return rf"\b{any_of(forms)}\b"
