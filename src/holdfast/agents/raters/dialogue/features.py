"""What can be counted in a dialogue without knowing its words one by one: length, echo, repetition, questions, cues.

Every number is of one turn; a dialogue is told by each number's mean over its turns, its last turns' and the largest,
so that a dialogue of three turns and one of thirty lie on the same scale.
"""

import re
from collections.abc import Sequence

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
#: How a dialogue's turns become one number of each kind. A dialogue of one turn has itself before its last.
WAYS: tuple[str, ...] = ("mean", "before last", "last", "largest")


def dense_features(dialogue: Sequence[WindowTurn], levels: Floats, ways: Sequence[str]) -> Floats:
    """(ways x kinds,) what is counted in one dialogue of T turns, way by way; zeros for a dialogue without a turn.

    ``levels``: (T, 3) expressed empathy of each reply, 0-2.
    """
    if not dialogue:
        return np.zeros(len(ways) * len(PER_TURN))
    table = np.array(_counted(dialogue, levels))
    shares = {
        "mean": table.mean(axis=0),
        "before last": table[max(len(table) - 2, 0)],
        "last": table[-1],
        "largest": table.max(axis=0),
    }
    return np.concatenate([shares[way] for way in ways])


def _counted(dialogue: Sequence[WindowTurn], levels: Floats) -> list[list[float]]:
    rows: list[list[float]] = []
    said: set[str] = set()
    spoken: set[str] = set()
    before: list[set[str]] = []
    for turn, level in zip(dialogue, levels.tolist(), strict=True):
        user, reply = normalise(turn.user), normalise(turn.reply)
        words, message_words = cues.WORD.findall(reply), cues.WORD.findall(user)
        content, message = set(words) - cues.COMMON, set(message_words) - cues.COMMON
        said |= message
        rows.append(
            [
                np.log1p(len(words)),
                np.log1p(len(message_words)),
                *level,
                float("?" in reply),
                float("?" in user),
                float("!" in reply),
                float("!" in user),
                len(content & message) / max(len(content), 1),
                len(content & said) / max(len(content), 1),
                max((_overlap(content, earlier) for earlier in before), default=0.0),
                len(set(words)) / max(len(words), 1),
                len(set(words) - spoken) / max(len(words), 1),
                *(
                    _per_ten(cue, reply, len(words))
                    for cue in (cues.ADVICE, cues.SELF, cues.VALIDATION, cues.DISMISSAL)
                ),
                *_mood(user, reply),
                *_reaction(user, len(message_words), bool(before)),
            ]
        )
        before.append(content)
        spoken |= set(words)
    return rows


def _mood(user: str, reply: str) -> tuple[float, float, float]:
    """How glad (1) or sad (-1) the message and the reply sound, and their product: below 0 where they disagree."""
    moods = (
        float(np.tanh(len(cues.POSITIVE.findall(text)) - len(cues.NEGATIVE.findall(text)))) for text in (user, reply)
    )
    of_user, of_reply = moods
    return of_user, of_reply, of_user * of_reply


def _reaction(user: str, words: int, reacts: bool) -> list[float]:
    """What a message says about the reply before it; all 0 for a first message, which reacts to nothing."""
    signals = [float(bool(cue.search(user))) for cue in (cues.THANKS, cues.PUZZLED, cues.AGREES, cues.DENIES)]
    return [*signals, float(np.log1p(words))] if reacts else [0.0] * (len(signals) + 1)


def _overlap(first: set[str], other: set[str]) -> float:
    """Jaccard's: shared content words over all content words of both; 0 where neither has any."""
    return len(first & other) / max(len(first | other), 1)


def _per_ten(cue: re.Pattern[str], text: str, words: int) -> float:
    """How many of the cue per ten words, 3 at most."""
    return min(10 * len(cue.findall(text)) / max(words, 5), 3.0)
