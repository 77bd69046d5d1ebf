"""Does a reply name the feeling or the topic that the user has just named?"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulator.measure.arrays import Floats
from simulator.records import EpisodeRecord, TurnRecord

_DETERMINERS = ("the", "my", "your", "our", "this", "that")
_DETERMINER = f"(?:{'|'.join(_DETERMINERS)})"


@dataclass(frozen=True, slots=True)
class Naming:
    """Per episode (arrays of one length): the share of its turns in which the reply named what the user had named,
    nan where no turn counts, and how many turns count. ``either``: turns in which the user named anything."""

    feeling: Floats
    topic: Floats
    either: Floats
    feeling_turns: int
    topic_turns: int
    either_turns: int


def names(phrase: str, text: str) -> bool:
    """Whether ``text`` holds ``phrase`` as whole words, whatever the case; the, my, your, our, this and that are
    interchangeable: "my report" is named by "your report", but not by "report" or "reports"."""
    return _pattern(phrase)(text) is not None


@lru_cache(maxsize=8192)
def _pattern(phrase: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(_words(phrase), re.IGNORECASE).search


def _words(phrase: str) -> str:
    words = (_DETERMINER if word in _DETERMINERS else re.escape(word) for word in phrase.casefold().split())
    return r"(?<!\w)" + r"\s+".join(words) + r"(?!\w)"


def naming(episodes: Iterable[EpisodeRecord], asking: Collection[str], feelings: Collection[str]) -> Naming:
    """Shares of turns, per episode, in which the reply names what the user named in this turn's message.

    ``asking``: the tasks whose pattern asks for empathy (any target level above 0); other episodes give nan.
    ``feelings``: all feelings that users of this study know. A reply that names another of them than the user's own
    names nothing right, not even the topic: it speaks of somebody else, or of an earlier message.
    A feeling or topic counts as named by the user where the turn's intention has it *and* the message holds it.
    """
    other = _other_feelings(feelings)
    rows = [_episode(episode.turns, other) if episode.spec.task in asking else np.zeros((3, 2)) for episode in episodes]
    counts = np.array(rows).reshape(-1, 3, 2)  # episodes x (feeling, topic, either) x (right, counted)
    right, counted = counts[..., 0], counts[..., 1]
    share = np.divide(right, counted, out=np.full_like(right, np.nan), where=counted > 0)
    feeling_turns, topic_turns, either_turns = (int(total) for total in counted.sum(axis=0))
    return Naming(share[:, 0], share[:, 1], share[:, 2], feeling_turns, topic_turns, either_turns)


def _other_feelings(feelings: Collection[str]) -> Callable[[str], re.Match[str] | None] | None:
    if not feelings:
        return None
    longest_first = sorted({feeling.casefold() for feeling in feelings}, key=lambda feeling: (-len(feeling), feeling))
    return re.compile("|".join(_words(feeling) for feeling in longest_first), re.IGNORECASE).search


def _episode(turns: Iterable[TurnRecord], other: Callable[[str], re.Match[str] | None] | None) -> Floats:
    counts = np.zeros((3, 2))
    for turn in turns:
        said = turn.said
        feeling = said.feeling if said.feeling and names(said.feeling, turn.user) else None
        topic = said.topic if said.topic and names(said.topic, turn.user) else None
        if feeling is None and topic is None:
            continue
        feeling_right = feeling is not None and names(feeling, turn.reply)
        topic_right = topic is not None and names(topic, turn.reply)
        if (feeling_right or topic_right) and other is not None:
            rest = re.sub(_words(feeling), " ", turn.reply, flags=re.IGNORECASE) if feeling else turn.reply
            if other(rest):
                feeling_right = topic_right = False
        counts[0] += (feeling_right, feeling is not None)
        counts[1] += (topic_right, topic is not None)
        counts[2] += (feeling_right or topic_right, True)
    return counts
