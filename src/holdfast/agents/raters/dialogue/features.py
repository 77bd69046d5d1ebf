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
        exchange = _counted(turn.user, turn.reply)
        content, words = exchange.content, exchange.words
        said |= exchange.message
        reaction = exchange.reaction if before else (0.0,) * len(exchange.reaction)  # a first message reacts to nothing
        rows.append(
            [
                *exchange.lengths_and_marks,
                exchange.echo,
                len(content & said) / max(len(content), 1),
                max((_overlap(content, earlier) for earlier in before), default=0.0),
                len(words) / max(exchange.length, 1),
                len(words - spoken) / max(exchange.length, 1),
                *exchange.cues_and_mood,
                *reaction,
            ]
        )
        before.append(content)
        spoken |= words
    return rows


class _Exchange(NamedTuple):
    """What is counted in one exchange whatever stands before it."""

    length: int  # words of the reply
    words: frozenset[str]
    content: frozenset[str]  # of the reply, without common words
    message: frozenset[str]  # of the user's message, without common words
    lengths_and_marks: tuple[float, ...]
    echo: float
    cues_and_mood: tuple[float, ...]
    reaction: tuple[float, ...]


@lru_cache(maxsize=8192)  # an exchange stands in several windows, and simulated people repeat themselves
def _counted(message: str, answer: str) -> _Exchange:
    user, reply = normalise(message), normalise(answer)
    words, message_words = cues.WORD.findall(reply), cues.WORD.findall(user)
    content, message_content = frozenset(words) - cues.COMMON, frozenset(message_words) - cues.COMMON
    marks = ("?" in reply, "?" in user, "!" in reply, "!" in user)
    spoken_cues = (cues.ADVICE, cues.SELF, cues.VALIDATION, cues.DISMISSAL)
    signals = (cues.THANKS, cues.PUZZLED, cues.AGREES, cues.DENIES)
    return _Exchange(
        length=len(words),
        words=frozenset(words),
        content=content,
        message=message_content,
        lengths_and_marks=(_log1p(len(words)), _log1p(len(message_words)), *map(float, marks)),
        echo=len(content & message_content) / max(len(content), 1),
        cues_and_mood=(*(_per_ten(cue, reply, len(words)) for cue in spoken_cues), *_mood(user, reply)),
        reaction=(*(float(bool(cue.search(user))) for cue in signals), _log1p(len(message_words))),
    )


def _mood(user: str, reply: str) -> tuple[float, float, float]:
    """How glad (1) or sad (-1) the message and the reply sound, and their product: below 0 where they disagree."""
    moods = (
        float(np.tanh(len(cues.POSITIVE.findall(text)) - len(cues.NEGATIVE.findall(text)))) for text in (user, reply)
    )
    of_user, of_reply = moods
    return of_user, of_reply, of_user * of_reply


def _overlap(first: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's: shared content words over all content words of both; 0 where neither has any."""
    return len(first & other) / max(len(first | other), 1)


def _log1p(count: int) -> float:
    return float(np.log1p(count))


def _per_ten(cue: re.Pattern[str], text: str, words: int) -> float:
    """How many of the cue per ten words, 3 at most."""
    return min(10 * len(cue.findall(text)) / max(words, 5), 3.0)
