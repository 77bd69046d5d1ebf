"""What can be counted in a dialogue without knowing its words one by one: length, echo, repetition, questions, cues.

Every number is of one turn; a dialogue is told by each number's mean over its turns, its last turns' and the largest,
so that a dialogue of three turns and one of thirty lie on the same scale.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from holdfast.agents.raters.dialogue import cues
from holdfast.agents.raters.dialogue.window import WindowTurn
from holdfast.agents.raters.linear.features import Floats, normalise

#: What is counted per turn, in this order.
PER_TURN: tuple[str, ...] = (
    "reply_length",
    "user_length",
    "emotional_reaction",
    "interpretation",
    "exploration",
    "reply_asks",
    "user_asks",
    "reply_exclaims",
    "user_exclaims",
    "echo_of_message",
    "echo_of_all",
    "repeats_itself",
    "variety",
    "new_words",
    "advice",
    "self",
    "validation",
    "dismissal",
    "user_feels",
    "reply_feels",
    "feels_alike",
    "user_thanks",
    "user_puzzled",
    "user_agrees",
    "user_denies",
    "user_goes_on",
)
_BEFORE_LEVELS = 2  # of the kinds stand before the three levels of expressed empathy
#: What is counted without any rater.
COUNTED: tuple[str, ...] = PER_TURN[:_BEFORE_LEVELS] + PER_TURN[_BEFORE_LEVELS + 3 :]
#: How a dialogue's turns become one number of each kind. A dialogue of one turn has itself before its last.
WAYS: tuple[str, ...] = ("mean", "before last", "last", "largest")


def dense_features(dialogue: Sequence[WindowTurn], levels: Floats, ways: Sequence[str]) -> Floats:
    """(ways x kinds,) what is counted in one dialogue of T turns, way by way; zeros for a dialogue without a turn.

    ``levels``: (T, 3) expressed empathy of each reply, 0-2.
    """
    if not dialogue:
        return np.zeros(len(ways) * len(PER_TURN))
    counted = np.array(count_turns(dialogue))
    table = np.concatenate([counted[:, :_BEFORE_LEVELS], levels, counted[:, _BEFORE_LEVELS:]], axis=1)
    return by_way(table, ways)


def by_way(table: Floats, ways: Sequence[str]) -> Floats:
    """(ways x kinds,) how the turns of ``table`` (T x kinds, T at least 1) become one number of each kind, by way."""
    shares = {
        "mean": lambda: table.mean(axis=0),
        "before last": lambda: table[max(len(table) - 2, 0)],
        "last": lambda: table[-1],
        "largest": lambda: table.max(axis=0),
    }
    return np.concatenate([shares[way]() for way in ways])


def count_turns(dialogue: Sequence[WindowTurn]) -> list[list[float]]:
    """T lists of what is counted in each turn without any rater: :data:`COUNTED`, in that order."""
    rows: list[list[float]] = []
    said: frozenset[str] = frozenset()
    spoken: frozenset[str] = frozenset()
    before: list[frozenset[str]] = []
    for turn in dialogue:
        user, reply = _heard(turn.user, reacts=True), _heard(turn.reply, reacts=False)
        content, words = reply.content, reply.words
        said |= user.content
        rows.append(
            [
                reply.log_length,
                user.log_length,
                reply.asks,
                user.asks,
                reply.exclaims,
                user.exclaims,
                len(content & user.content) / max(len(content), 1),
                len(content & said) / max(len(content), 1),
                max((_overlap(content, earlier) for earlier in before), default=0.0),
                len(words) / max(reply.length, 1),
                len(words - spoken) / max(reply.length, 1),
                *reply.signals,
                user.mood,
                reply.mood,
                user.mood * reply.mood,  # below 0 where they disagree
                *(user.signals if before else _NO_REACTION),
            ]
        )
        before.append(content)
        spoken |= words
    return rows


class _Heard(NamedTuple):
    """What is counted in one message whatever stands before it."""

    length: int  # words
    log_length: float
    words: frozenset[str]
    content: frozenset[str]  # without common words
    asks: float
    exclaims: float
    mood: float  # how glad (1) or sad (-1) it sounds
    signals: tuple[float, ...]  # how a reply speaks; what a user's message says about the reply before it


_MANNERS = (cues.ADVICE, cues.SELF, cues.VALIDATION, cues.DISMISSAL)  # of a reply
_REACTIONS = (cues.THANKS, cues.PUZZLED, cues.AGREES, cues.DENIES)  # of the user
_NO_REACTION = (0.0,) * (len(_REACTIONS) + 1)  # of a first message, which reacts to nothing


@lru_cache(maxsize=16384)  # a message stands in several windows, and simulated people repeat themselves
def _heard(message: str, *, reacts: bool) -> _Heard:
    """``reacts``: it is the user's."""
    text = normalise(message)
    words = cues.WORD.findall(text)
    log_length = float(np.log1p(len(words)))
    if reacts:
        signals = (*(float(bool(cue.search(text))) for cue in _REACTIONS), log_length)
    else:
        signals = tuple(_per_ten(cue, text, len(words)) for cue in _MANNERS)
    return _Heard(
        length=len(words),
        log_length=log_length,
        words=frozenset(words),
        content=frozenset(words) - cues.COMMON,
        asks=float("?" in text),
        exclaims=float("!" in text),
        mood=float(np.tanh(len(cues.POSITIVE.findall(text)) - len(cues.NEGATIVE.findall(text)))),
        signals=signals,
    )


def _overlap(first: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's: shared content words over all content words of both; 0 where neither has any."""
    return len(first & other) / max(len(first | other), 1)


def _per_ten(cue: re.Pattern[str], text: str, words: int) -> float:
    """How many of the cue per ten words, 3 at most."""
    return min(10 * len(cue.findall(text)) / max(words, 5), 3.0)
