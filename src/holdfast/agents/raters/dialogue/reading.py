"""What a dialogue rater takes in: numbers that are counted, and texts whose words are looked up.

A reader turns passages into a :class:`Reading` once; fitting and rating then work on arrays. Readers hold nothing that
was fitted, so one reading may be cut into folds without anything leaking from one to another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.agents.raters.dialogue.features import PER_TURN, dense_features
from holdfast.agents.raters.dialogue.manifest import EncoderPart, Manifest
from holdfast.agents.raters.dialogue.window import WindowTurn, turns
from holdfast.agents.raters.linear.features import Floats, Ints
from holdfast.agents.raters.linear.rater import SHIPPED_PEERS, LinearRater
from holdfast.agents.raters.protocol import Passage

#: The texts whose words count, in this order.
VIEWS: tuple[str, ...] = ("replies", "user's messages", "last reply", "last user's messages")
COUNT_WEIGHT = 0.15
VECTORS_WEIGHT = 3.0  # of all numbers of the vectors together, where all counts of an impression weigh 1.7
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


@dataclass(frozen=True, slots=True)
class FeatureReader:
    """Reads passages, always the same way: counts and words, and beside them the vectors of an ``encoder``.

    ``history``: turns before the rated one that belong to the dialogue, None all; ``ways``: how turns become numbers;
    ``words``: texts too. Counts and words stand beside vectors because a frozen encoder knows neither length nor
    repetition. Torch is needed with an encoder only.
    """

    history: int | None
    ways: tuple[str, ...]
    words: bool
    encoder: EncoderPart | None = None

    @classmethod
    def of(cls, manifest: Manifest) -> FeatureReader:
        """The reader whose numbers a fitted rater's weights belong to."""
        return cls(manifest.history, manifest.ways, manifest.words, manifest.encoder)

    def read(self, passages: Sequence[Passage]) -> Reading:
        """Raises :class:`ModelError` where the encoder cannot be loaded, or its weights are others than it says."""
        dialogues = [turns(passage, self.history) for passage in passages]
        dense = counted(dialogues, self.ways)
        weights = np.full(dense.shape[1], COUNT_WEIGHT)
        if self.encoder is not None:
            from holdfast.agents.raters.dialogue.encoder import vectors_of  # torch: a leaf module

            vectors = vectors_of(self.encoder, dialogues)
            width = vectors.shape[1]
            dense = np.concatenate([vectors, dense], axis=1)
            weights = np.concatenate([np.full(width, np.sqrt(VECTORS_WEIGHT / width)), weights])
        empty = np.array([not dialogue for dialogue in dialogues], dtype=bool)
        return Reading(dense, weights, views(dialogues) if self.words else (), empty)


def counted(dialogues: Sequence[Sequence[WindowTurn]], ways: Sequence[str]) -> Floats:
    """(n, D) of :func:`dense_features`; the replies' levels are those of the rater that saw peers only, on which the
    shipped dialogue raters were fitted.

    D is 0 without ways: a rater of expressed empathy must not count levels that were fitted on the very labels that it
    learns.
    """
    if not ways:
        return np.zeros((len(dialogues), 0))
    levels = LinearRater(SHIPPED_PEERS).model.levels([turn.reply for dialogue in dialogues for turn in dialogue])
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
