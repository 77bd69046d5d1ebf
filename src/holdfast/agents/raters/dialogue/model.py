"""The fitted numbers of a dialogue rater: a weighted sum of what was counted and of the words that were found.

numpy only; safe to load from anywhere, since nothing in the files can be run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.agents.raters.dialogue.reading import Reading
from holdfast.agents.raters.dialogue.word_model import WordModel
from holdfast.agents.raters.linear.features import ENDS, START, Floats
from holdfast.agents.raters.linear.weight_files import require_shapes

FARTHEST = 3.0  # standard deviations


def within(numbers: Floats, weights: Floats) -> Floats:
    """``numbers`` (n, D), standardised and weighted, none farther than :data:`FARTHEST` standard deviations from the
    mean of those that were fitted on: a reply of four words among long ones is short, not absurd."""
    return np.asarray(np.clip(numbers, -FARTHEST * weights, FARTHEST * weights))


@dataclass(frozen=True)
class DialogueModel(WordModel):
    """D numbers, F runs of words, K dimensions, from ``low`` to ``high``.

    ``centre``, ``spread``: (D,), so that a number counts as (number - centre) / spread; ``dense_weights``: (D, K);
    ``word_weights``: (F, K); ``bias``: (K,); ``scale``: (P, K + 1), the last column P rising levels and the others what
    sum maps to each, so that rounding agrees with people; between them the map is straight.
    """

    scale: Floats

    def predict(self, reading: Reading) -> Floats:
        """(n, K) scores within the scale; nan for a passage without a reply."""
        raw = self.sums(reading)
        levels = self.scale[:, -1]
        scores = np.stack([np.interp(raw[:, k], self.scale[:, k], levels) for k in range(raw.shape[1])], axis=1)
        scores[reading.empty] = np.nan
        return scores

    def sums(self, reading: Reading) -> Floats:
        """(n, K) before the scale."""
        numbers = within((reading.dense - self.centre) / self.spread, reading.weights)
        # row by row: one product of all rows is rounded in another order for every number of rows
        raw = np.tile(self.bias, (len(numbers), 1))
        for number, column in enumerate(numbers):
            raw[number] += column @ self.dense_weights
        if len(self.table.keys):
            row, feature, value = self.table.find(reading.views)
            for k in range(raw.shape[1]):
                raw[:, k] += np.bincount(row, weights=value * self.word_weights[feature, k], minlength=len(raw))
        return np.asarray(raw)

    def check(self) -> None:
        """Raise ValueError unless the numbers fit together."""
        kinds, features, dimensions = len(self.centre), len(self.table.keys), len(self.bias)
        require_shapes(
            spread=(self.spread.shape, (kinds,)),
            dense_weights=(self.dense_weights.shape, (kinds, dimensions)),
            word_weights=(self.word_weights.shape, (features, dimensions)),
            idf=(self.table.idf.shape, (features,)),
            scale=(self.scale.shape, (len(self.scale), dimensions + 1)),
        )
        if len(self.scale) < 2 or np.any(np.diff(self.scale, axis=0) <= 0) or np.any(np.diff(self.table.keys) <= 0):
            raise ValueError("keys or scale do not rise")
        super().check()
        if features and {START, *ENDS} - set(self.table.words):
            raise ValueError("words lack a sentence mark")
