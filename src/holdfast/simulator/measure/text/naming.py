"""Whether replies name the feeling or the topic that the user has just named."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from holdfast.agents.naming import names, phrase_regex
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.bootstrap import Interval, Resamples, ratio_interval
from holdfast.simulator.records import EpisodeRecord, TurnRecord

_WORD = re.compile(r"\w+")

KINDS = ("feeling", "topic", "either")


@dataclass(frozen=True, slots=True)
class Naming:
    """Turns per episode, episodes x 3 in the order of ``KINDS``; nan where an episode has no such turn.

    ``counted``: turns in which the user named it; ``right``: those in which the reply did too. ``either``: turns in
    which the user named a feeling or a topic, right if the reply names one of them.
    """

    right: Floats
    counted: Floats

    def share(self, kind: str, resamples: Resamples) -> Interval:
        """Return the share of right turns, bootstrapped by cluster; nan where none counts. ``n`` counts turns."""
        column = KINDS.index(kind)
        share = ratio_interval(self.right[:, column], self.counted[:, column], resamples)
        return replace(share, n=int(np.nansum(self.counted[:, column])))


def naming(episodes: Iterable[EpisodeRecord], empathic_tasks: Collection[str], feelings: Collection[str]) -> Naming:
    """Count the turns of each episode in which the reply names what the user named in this turn's message.

    ``empathic_tasks``: the tasks whose pattern asks for empathy (any target level above 0); other episodes give nan.
    ``feelings``: all feelings of this study's users. A reply that names another of them than the user's own names
    nothing right, not even the topic: it refers to somebody else, or to an earlier message. A feeling or topic counts
    as named by the user where the turn's intention has it *and* the message holds it.
    """
    others = _by_first_word(feelings)
    rows = [
        _episode(episode.turns, others) if episode.spec.task in empathic_tasks else np.zeros((3, 2))
        for episode in episodes
    ]
    counts = np.array(rows).reshape(-1, 3, 2)  # episodes x (feeling, topic, either) x (right, counted)
    some = counts[..., 1] > 0
    return Naming(np.where(some, counts[..., 0], np.nan), np.where(some, counts[..., 1], np.nan))


def _by_first_word(feelings: Collection[str]) -> dict[str, list[str]]:
    """Index feelings by their first word; searching a reply for one pattern of all is a hundred times slower."""
    index: dict[str, list[str]] = {}
    for feeling in sorted({feeling.casefold() for feeling in feelings}):
        index.setdefault(next(iter(_WORD.findall(feeling)), ""), []).append(feeling)
    return index


def _names_another(reply: str, own: str | None, index: Mapping[str, Collection[str]]) -> bool:
    words = {*_WORD.findall(reply.casefold()), ""}
    known = [feeling for word in words & index.keys() for feeling in index[word] if feeling != own]
    if not known:
        return False
    rest = phrase_regex(own).sub(" ", reply) if own else reply
    return any(names(feeling, rest) for feeling in known)


def _episode(turns: Iterable[TurnRecord], others: Mapping[str, Collection[str]]) -> Floats:
    counts = np.zeros((3, 2))
    for turn in turns:
        said = turn.said
        feeling = said.feeling if said.feeling and names(said.feeling, turn.user) else None
        topic = said.topic if said.topic and names(said.topic, turn.user) else None
        if (feeling is None and topic is None) or not turn.reply.strip():
            continue
        feeling_right = feeling is not None and names(feeling, turn.reply)
        topic_right = topic is not None and names(topic, turn.reply)
        if (feeling_right or topic_right) and _names_another(turn.reply, feeling, others):
            feeling_right = topic_right = False
        counts[0] += (feeling_right, feeling is not None)
        counts[1] += (topic_right, topic is not None)
        counts[2] += (feeling_right or topic_right, True)
    return counts
