"""What rules on words can tell about a reply: whether it names the user's matter, gives steps, or repeats itself.

They err where a reply paraphrases ("that meeting" for "the project review"); a rater's expressed levels partly make up
for that.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files

import yaml

from holdfast.agents.users.protocol import Intention

#: Sentences of a reply that are compared with the next one.
MAX_SENTENCES = 8

ANY_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True)
class CueWords:
    """Words of one language (``personas/cues/LANG.yaml``). ``step``: matches where a sentence says something to do."""

    function_words: frozenset[str]
    step: re.Pattern[str]


@cache
def cue_words(language: str) -> CueWords:
    """Return the words of a language; those of English where it has none."""
    folder = files("holdfast.personas").joinpath("cues")
    file = folder.joinpath(f"{language}.yaml")
    raw = yaml.safe_load((file if file.is_file() else folder.joinpath("en.yaml")).read_text(encoding="utf-8"))
    words = {name: "|".join(map(re.escape, raw[name])) for name in ("imperatives", "then", "please", "order")}
    begins, orders = r"(?:^|[,;:]\s*", r"(?:^|[,;:]\s*)"
    parts = [
        rf"{begins}|\b(?:{words['then']})\s+)(?:(?:{words['please']})\s+)?(?:{words['imperatives']})\b",
        rf"{orders}(?:{words['order']})\b",
        *raw["offers"],
        r"^(?:\d+[.)]|[-*•])\s",
    ]
    return CueWords(frozenset(raw["function_words"]), re.compile("|".join(parts)))


@dataclass(frozen=True, slots=True)
class ReplyCues:
    """Cues of one reply to a message. Shares run 0-1; None where the message had no such thing."""

    feeling: float | None  # share of the feeling's words that the reply names
    topic: float | None  # the same for the topic, or for the need where the reply names that better
    asked: bool  # the message asked for help: it states a need, or asks about a topic
    steps: bool  # the reply says something to do, outside a question
    repeated: float  # share of the reply's sentences that were in the last reply
    sane: float  # 1 for a reply of sensible length, less for one too short or too long

    @property
    def grounding(self) -> float:
        """How much the reply refers to the message: mean of the shares, 0-1; 1 where the message named nothing."""
        parts = [share for share in (self.feeling, self.topic) if share is not None]
        return sum(parts) / len(parts) if parts else 1.0


def cues_of(said: Intention, reply: str, last_reply: Sequence[str] = (), language: str = "en") -> ReplyCues:
    """Return the cues of ``reply`` to a message with intention ``said``.

    ``last_reply``: :func:`sentence_digests` of the reply before. After thanks and goodbyes nothing needs to be named,
    even where they mention a topic.
    """
    if said.kind in ("thank", "close"):
        said = Intention(said.kind)
    digests = sentence_digests(reply)
    before = frozenset(last_reply)
    subjects = [share_named(reply, phrase, language=language) for phrase in (said.topic, said.need) if phrase]
    return ReplyCues(
        feeling=share_named(reply, said.feeling, inflected=True, language=language) if said.feeling else None,
        topic=max(subjects, default=None),
        asked=said.need is not None or said.kind == "ask",
        steps=gives_steps(reply, language),
        repeated=sum(digest in before for digest in digests) / len(digests) if digests else 0.0,
        sane=length_sanity(reply),
    )


def share_named(reply: str, phrase: str, *, inflected: bool = False, language: str = "en") -> float:
    """Return the share, 0-1, of the phrase's content words that ``reply`` holds, ignoring a plural *s*.

    With ``inflected``, a word counts where the reply has one that begins alike ("anxious" and "anxiety", "worried" and
    "worry"): the first ``max(4, length - 3)`` letters agree.
    """
    wanted, spoken = _wanted(phrase, language), _parsed(reply)
    if not wanted:
        return 0.0
    if inflected:
        stems = [word[: max(4, len(word) - 3)] for word in wanted]
        return sum(any(word.startswith(stem) for word in spoken.words) for stem in stems) / len(stems)
    return sum(word.removesuffix("s") in spoken.singular for word in wanted) / len(wanted)


def gives_steps(reply: str, language: str = "en") -> bool:
    """Return whether a sentence other than a question tells or offers something to do."""
    step = cue_words(language).step
    return any(step.search(sentence) for sentence in _parsed(reply).sentences if not sentence.endswith("?"))


def length_sanity(reply: str) -> float:
    """Return 1 from 4 to 150 words; falling to 0 towards no words, and to 0.25 towards 400 and beyond."""
    count = len(_parsed(reply).words)
    if count < 4:
        return count / 4
    return 1.0 - 0.75 * min(1.0, max(0, count - 150) / 250)


def sentences_of(reply: str) -> list[str]:
    """Return the sentences of ``reply`` in lower case."""
    return list(_parsed(reply).sentences)


def sentence_digests(reply: str) -> list[str]:
    """Return 4-byte hexadecimal digests of the first :data:`MAX_SENTENCES` sentences, ignoring case and spacing."""
    return list(_parsed(reply).digests)


@dataclass(frozen=True)
class _Text:
    """A text in lower case; its parts are computed when first needed."""

    text: str

    @cached_property
    def words(self) -> list[str]:
        return ANY_WORD.findall(self.text)

    @cached_property
    def singular(self) -> frozenset[str]:
        return frozenset(word.removesuffix("s") for word in self.words)

    @cached_property
    def sentences(self) -> list[str]:
        return [sentence for part in _SENTENCE_END.split(self.text) if (sentence := part.strip())]

    @cached_property
    def digests(self) -> list[str]:
        normal = (" ".join(ANY_WORD.findall(sentence)) for sentence in self.sentences[:MAX_SENTENCES])
        return [hashlib.blake2s(text.encode(), digest_size=4).hexdigest() for text in normal if text]


@lru_cache(maxsize=1)  # used for one reply many times in a row
def _parsed(text: str) -> _Text:
    return _Text(text.casefold())


@lru_cache(maxsize=1024)  # phrases of personas recur in every conversation
def _wanted(phrase: str, language: str) -> tuple[str, ...]:
    """Return the phrase's content words; all of its words where it has no other."""
    words: list[str] = ANY_WORD.findall(phrase.casefold())
    function_words = cue_words(language).function_words
    return tuple(word for word in words if word not in function_words) or tuple(words)
