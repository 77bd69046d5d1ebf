"""Replies that have nothing to do with the conversation: a recipe for someone in grief.

Without knowing meanings only the clear cases can be told. A reply is off-topic where it talks to nobody and shares no
content word with what was said; or where it is plainly of another kind of text (a recipe, an encyclopaedia, a weather
report, source code, a telephone queue) and the conversation shows no sign of that kind.
"""

from collections.abc import Iterable

from holdfast.agents.raters.gate.reading import ReplyText, quotation, words_of
from holdfast.agents.raters.gate.signs import Pattern, prefixes, signs

ALONE_WORDS = 30  # of a reply that talks to nobody, from which on it can be judged
ASKED_WORDS = 4  # content words that the conversation must hold
LONG, STEM = 4, 5  # letters of a content word at least, and by which two words are taken for one


def off_topic(reply: ReplyText) -> str:
    """Return the words that show a reply to be about something else, or ""."""
    words = reply.words
    if not signs().queue_words.isdisjoint(words) and signs().queue.search(reply.normal):
        return quotation(reply.text)
    alone = len(words) >= ALONE_WORDS and "?" not in reply.text and signs().relating.isdisjoint(words)
    kinds = _kinds(reply) if len(signs().prefixes & prefixes(words)) > 1 else []
    if not alone and not kinds:
        return ""
    said = " ".join(message.content for message in reply.conversation)
    content = _content(words_of(said))
    if len(content) < ASKED_WORDS:
        return ""
    foreign = [", ".join(shown) for kind, shown in kinds if not kind.search(said.lower())]
    if foreign or not alone:
        return next(iter(foreign), "")
    return "" if content & _content(words) else quotation(reply.text)


def _kinds(reply: ReplyText) -> list[tuple[Pattern, list[str]]]:
    """Return the kinds of text of which a reply shows enough signs, with the signs."""
    shown = ((kind, list(dict.fromkeys(match[0] for match in kind.finditer(reply.normal)))) for kind in signs().kinds)
    return [(kind, own) for kind, own in shown if len(own) >= signs().least_kind]


def _content(words: Iterable[str]) -> set[str]:
    """Return the stems of the content words."""
    idle = signs().function | signs().relating
    return {word[:STEM] for word in words if len(word) >= LONG and word not in idle}
