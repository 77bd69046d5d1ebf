"""Replies that have nothing to do with the conversation: a recipe for someone in grief.

Without knowing meanings only the clear cases can be told, and none that shares a content word with what was said. A
reply is off-topic where it plainly is another kind of text (a recipe, a weather report, a telephone queue); where it
talks to nobody and is of a subject that nobody spoke of (planets, kings) to somebody who spoke of themselves; or where
it talks to nobody at length, advises nothing and speaks of no person and no feeling.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from holdfast.agents.raters.gate.language import plainly_english
from holdfast.agents.raters.gate.reading import ReplyText, quotation, words_of
from holdfast.agents.raters.gate.worded import WordedPatterns, lexicon, worded
from holdfast.agents.raters.linear.features import normalise

ALONE_WORDS = 30  # of a reply that talks to nobody, from which on it needs no sign of a subject
SUBJECT_WORDS = 8  # of a reply that is judged by its subject
QUEUE_WORDS = 15  # of a reply that is a queue's whatever was said
ASKED_WORDS, SELF_WORDS = 4, 2  # content words that the conversation must hold; where somebody spoke of themselves
LONG, STEM = 4, 5  # letters of a content word at least, and by which two words are taken for one


@dataclass(frozen=True, slots=True)
class Kind:
    """The signs of a kind of text or of a subject."""

    words: frozenset[str]
    phrases: WordedPatterns

    def shown(self, words: frozenset[str], text: str) -> list[str]:
        """Return the signs in a text of these words: words in alphabetical order, then phrases."""
        return sorted(self.words & words) + self.phrases.matches(words, text)


@dataclass(frozen=True, slots=True)
class TopicSigns:
    """``kinds``: of which ``least`` signs show a reply to be another kind of text; ``subjects``: of which
    ``least_alone`` do where it talks to nobody; ``kind_words`` and ``subject_words``: of which a reply must have as
    many. ``idle``: words that say nothing of a topic."""

    kinds: tuple[Kind, ...]
    subjects: tuple[Kind, ...]
    kind_words: frozenset[str]
    subject_words: frozenset[str]
    least: int
    least_alone: int
    queue: WordedPatterns
    relating: frozenset[str]
    own: frozenset[str]
    personal: frozenset[str]
    idle: frozenset[str]
    advising: frozenset[str]
    asking: frozenset[str]


@cache
def topic_signs() -> TopicSigns:
    """Return the signs that holdfast ships."""
    raw = lexicon("subjects")
    kinds = {name: Kind(frozenset(kind["words"]), worded(kind["phrases"])) for name, kind in raw["kinds"].items()}
    nothing = Kind(frozenset(), worded({}))
    subjects = {name: kinds.get(name, nothing) for name in (*kinds, *raw["subjects"])}
    subjects = {
        name: Kind(kind.words.union(raw["subjects"].get(name, ())), kind.phrases) for name, kind in subjects.items()
    }
    word_sets = {name: frozenset(raw[name]) for name in ("relating", "own", "personal", "advising", "asking")}
    return TopicSigns(
        kinds=tuple(kinds.values()),
        subjects=tuple(subjects.values()),
        kind_words=frozenset().union(*(kind.words | kind.phrases.words for kind in kinds.values())),
        subject_words=frozenset().union(*(kind.words | kind.phrases.words for kind in subjects.values())),
        least=raw["least"],
        least_alone=raw["least_alone"],
        queue=worded(raw["queue"]),
        idle=word_sets["relating"].union(raw["function"]),
        **word_sets,
    )


def off_topic(reply: ReplyText) -> str:
    """Return the words that show a reply to be about something else, or ""."""
    signs, words = topic_signs(), reply.word_set
    queue = bool(signs.queue.matches(words, reply.normal))
    if queue and len(reply.words) <= QUEUE_WORDS:
        return quotation(reply.text)
    alone = signs.relating.isdisjoint(words) and "?" not in reply.text
    strange = len((signs.subject_words if alone else signs.kind_words) & words) >= signs.least_alone
    if not queue and not strange and not (alone and len(reply.words) >= ALONE_WORDS):
        return ""
    said = [words_of(message.content) for message in reply.conversation]
    content = _content(word for own in said for word in own)
    if queue and not content & _content(words):
        return quotation(reply.text)
    enough = len(content) >= ASKED_WORDS
    shown = _kind_shown(signs.kinds, signs.least, reply) if strange and enough else ""
    if shown or not alone or content & _content(words):
        return shown
    about_self = len(content) >= SELF_WORDS and not signs.own.isdisjoint(words_of(reply.asked))
    if strange and about_self and len(reply.words) >= SUBJECT_WORDS:
        shown = _kind_shown(signs.subjects, signs.least_alone, reply)
    at_length = enough and len(reply.words) >= ALONE_WORDS and plainly_english(reply.words)
    impersonal = at_length and signs.personal.isdisjoint(words) and not _advises(reply)
    return shown or (quotation(reply.text) if impersonal else "")


def _kind_shown(kinds: Iterable[Kind], least: int, reply: ReplyText) -> str:
    """Return the signs of the first kind of which a reply shows enough, and the conversation none; or ""."""
    for kind in kinds:
        shown = kind.shown(reply.word_set, reply.normal)
        if len(shown) >= least and not any(
            kind.shown(frozenset(words_of(message.content)), normalise(message.content))
            for message in reply.conversation
        ):
            return ", ".join(shown)
    return ""


def _advises(reply: ReplyText) -> bool:
    """Whether a reply advises, though it talks to nobody: a word of advice, or a sentence or item that asks to do."""
    signs = topic_signs()
    first = (words_of(sentence)[:1] for sentence in reply.sentences)
    return not signs.advising.isdisjoint(reply.word_set) or any(not signs.asking.isdisjoint(words) for words in first)


def _content(words: Iterable[str]) -> set[str]:
    """Return the stems of the content words."""
    idle = topic_signs().idle
    return {word[:STEM] for word in words if len(word) >= LONG and word not in idle}
