"""What a dialogue rater takes in: numbers that are counted, and texts whose words are looked up.

A reader turns passages into a :class:`Reading` once; fitting and rating then work on arrays. Readers hold nothing that
was fitted, so one reading may be cut into folds without anything leaking from one to another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from holdfast.agents.raters.dialogue.features import PER_TURN, dense_features
from holdfast.agents.raters.dialogue.window import WindowTurn, turns
from holdfast.agents.raters.linear.features import Floats, Ints
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import Passage

#: The texts whose words count, in this order.
VIEWS: tuple[str, ...] = ("replies", "user's messages", "last reply", "last user's messages")
COUNT_WEIGHT = 0.15
_LAST = 2  # messages of the user that count as last: the reply is judged by what the user says to it next


@dataclass(frozen=True, slots=True)
class Reading:
    """n passages.

    ``dense``: (n, D) numbers; ``weights``: (D,) what a standard deviation of each counts for, where all words of a view
    together count for its weight; ``views``: texts, n per view; ``empty``: (n,) True where there is no reply.
    """

    dense: Floats
    weights: Floats
    views: tuple[tuple[str, ...], ...]
    empty: np.typing.NDArray[np.bool_]

    def rows(self, chosen: Ints) -> Reading:
        """The passages of these numbers only."""
        texts = tuple(tuple(view[int(i)] for i in chosen) for view in self.views)
        return Reading(self.dense[chosen], self.weights, texts, self.empty[chosen])


class FeatureReader(Protocol):
    """Reads passages, always the same way."""

    def read(self, passages: Sequence[Passage]) -> Reading: ...


@dataclass(frozen=True, slots=True)
class WordReader:
    """Counts and words, torch-free.

    ``history``: turns before the rated one, None all; ``ways``: how turns become numbers; ``words``: texts too.
    """

    history: int | None
    ways: tuple[str, ...]
    words: bool

    def read(self, passages: Sequence[Passage]) -> Reading:
        dialogues = [turns(passage, self.history) for passage in passages]
        dense = counted(dialogues, self.ways)
        return Reading(
            dense,
            np.full(dense.shape[1], COUNT_WEIGHT),
            views(dialogues) if self.words else (),
            np.array([not dialogue for dialogue in dialogues], dtype=bool),
        )


def counted(dialogues: Sequence[Sequence[WindowTurn]], ways: Sequence[str]) -> Floats:
    """(n, D) of :func:`dense_features`; the replies' levels come from the shipped rater of replies.

    D is 0 without ways: a rater of expressed empathy must not count levels that were fitted on the very labels that it
    learns.
    """
    if not ways:
        return np.zeros((len(dialogues), 0))
    levels = LinearRater().model.levels([turn.reply for dialogue in dialogues for turn in dialogue])
    ends = np.cumsum([len(dialogue) for dialogue in dialogues])
    table = np.empty((len(dialogues), len(ways) * len(PER_TURN)))
    for row, (dialogue, end) in enumerate(zip(dialogues, ends, strict=True)):
        table[row] = dense_features(dialogue, levels[end - len(dialogue) : end], ways)
    return table


def views(dialogues: Sequence[Sequence[WindowTurn]]) -> tuple[tuple[str, ...], ...]:
    """The texts of :data:`VIEWS`, n each."""
    return (
        tuple("\n".join(turn.reply for turn in dialogue) for dialogue in dialogues),
        tuple("\n".join(turn.user for turn in dialogue) for dialogue in dialogues),
        tuple("\n".join(turn.reply for turn in dialogue[-1:]) for dialogue in dialogues),
        tuple("\n".join(turn.user for turn in dialogue[-_LAST:]) for dialogue in dialogues),
    )
