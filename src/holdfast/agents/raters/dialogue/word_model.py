"""Fitted numbers over counted numbers and words: what the raters of dialogues and the feeler keep, check and store.

numpy only; safe to load from anywhere, since nothing in the files can be run.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from holdfast.agents.raters.dialogue.word_table import WordTable
from holdfast.agents.raters.linear.features import Floats
from holdfast.agents.raters.linear.weight_files import reading_weights, write_weights

_OF_TABLE = ("keys", "idf")


@dataclass(frozen=True)
class WordModel:
    """D numbers and F runs of words, whose weighted sum is the score.

    ``centre``, ``spread``: (D,), so that a number counts as (number - centre) / spread. Weights and ``bias`` have the
    subclass's shapes.
    """

    table: WordTable
    centre: Floats
    spread: Floats
    dense_weights: Floats
    word_weights: NDArray[np.float32]
    bias: Floats

    def check(self) -> None:
        """Raise ValueError unless the numbers can be computed with; a subclass checks their shapes too."""
        if not all(np.all(np.isfinite(array)) for array in self._arrays().values()) or np.any(self.spread <= 0):
            raise ValueError("a number is not finite, or a spread is not above 0")

    @classmethod
    def _names(cls) -> tuple[str, ...]:
        return (*_OF_TABLE, *(field.name for field in fields(cls) if field.name != "table"))

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {name: getattr(self.table if name in _OF_TABLE else self, name) for name in self._names()}

    def save(self, folder: Path) -> None:
        """Write ``weights.npz`` and ``vocabulary.json``; the same numbers give the same bytes."""
        write_weights(folder, self._arrays(), self.table.words)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote. Raises :class:`DataError` where a file is absent or not what it should be."""
        with reading_weights(folder) as (words, arrays):
            of = {name: arrays[name] for name in cls._names()}
            model = cls(WordTable(words, of.pop("keys"), of.pop("idf")), **of)
            model.check()
            return model
