"""The fitted numbers of the people's feeler: one weighted sum of what was counted and of the words that were said.

numpy only; safe to load from anywhere, since nothing in the files can be run. Each message adds a term of its own to
the sum, which is kept: a message stands in three windows, and is read once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from holdfast.agents.raters.dialogue.model import within
from holdfast.agents.raters.dialogue.word_model import WordModel
from holdfast.agents.raters.felt.reading import (
    LAST_MESSAGES,
    REPLY,
    USER,
    WEIGHTS,
    FeltReading,
    Window,
    numbers_of,
    runs,
)
from holdfast.agents.raters.linear.features import ENDS, START, Floats
from holdfast.agents.raters.linear.weight_files import require_shapes
from holdfast.agents.raters.protocol import FELT

_KEPT = 8192  # messages whose terms are kept


@dataclass(frozen=True)
class FeltModel(WordModel):
    """D numbers, F runs of words.

    ``centre``, ``spread``, ``dense_weights``: (D,), a number counts as (number - centre) / spread; ``word_weights``:
    (F, 2), what a run counts for as the mean over the window's messages, and in the last ones; ``bias``: (1,).
    """

    def predict(self, reading: FeltReading) -> Floats:
        """(n, 1) scores, 1-5; nan for a chat without a reply."""
        return np.array([[self.score(window) if window else math.nan] for window in reading.windows]).reshape(-1, 1)

    def score(self, window: Window) -> float:
        """What a person would say of the chat at this point, 1-5: the mean of those who said something like it."""
        numbers = within((numbers_of(window) - self.centre) / self.spread, WEIGHTS)
        total = float(self.bias[0]) + float(numbers @ self.dense_weights)
        terms = self._terms
        replies = [terms(turn.reply, REPLY) for turn in window]
        messages = [terms(turn.user, USER) for turn in window]
        total += sum(term[0] for term in replies + messages) / len(window) + replies[-1][1]
        last = messages[-LAST_MESSAGES:]
        total += sum(term[1] for term in last) / len(last)
        return min(FELT.high, max(FELT.low, total))

    @cached_property
    def _terms(self) -> Callable[[str, int], tuple[float, float]]:
        """Message and side -> what its words add to the sum, as one of all and as one of the last."""
        idf = self.table.idf.astype(np.float64)
        weighted = idf[:, None] * self.word_weights
        rows = zip((idf * idf).tolist(), *weighted.T.tolist(), strict=True)
        known = dict(zip(self.table.keys.tolist(), rows, strict=True))

        numbers = self.table.numbers

        @lru_cache(maxsize=_KEPT)
        def terms(text: str, side: int) -> tuple[float, float]:
            matches = [match for key in runs(text, numbers, side) if (match := known.get(key))]
            length = math.sqrt(sum(match[0] for match in matches)) or 1.0
            return sum(match[1] for match in matches) / length, sum(match[2] for match in matches) / length

        return terms

    def check(self) -> None:
        """Raise ValueError unless the numbers fit together."""
        features = len(self.table.keys)
        require_shapes(
            centre=(self.centre.shape, WEIGHTS.shape),
            spread=(self.spread.shape, WEIGHTS.shape),
            dense_weights=(self.dense_weights.shape, WEIGHTS.shape),
            word_weights=(self.word_weights.shape, (features, 2)),
            idf=(self.table.idf.shape, (features,)),
            bias=(self.bias.shape, (1,)),
        )
        super().check()
        if {START, *ENDS} - set(self.table.words):
            raise ValueError("words lack a sentence mark")
