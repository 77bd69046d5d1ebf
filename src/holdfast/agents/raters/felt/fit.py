"""Fits the people's feeler on what people said of chats: seeded, grouped by person, the same numbers on every run.

Each chat is learned three times, broken off after each of its exchanges, always with what its person said at the end:
the score of an early turn is then what such chats come to on average. Ridge regression as in
:mod:`holdfast.agents.raters.dialogue.fit`, whose solver and choice of the penalty it shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from holdfast.agents.raters.dialogue.fit import best_penalties, dual, require_people
from holdfast.agents.raters.dialogue.manifest import Manifest, hashed_people
from holdfast.agents.raters.dialogue.model import within
from holdfast.agents.raters.dialogue.window import WindowTurn
from holdfast.agents.raters.dialogue.word_table import VIEW_WEIGHTS, WordTable
from holdfast.agents.raters.felt.model import FeltModel
from holdfast.agents.raters.felt.reading import (
    HISTORY,
    LAST_MESSAGES,
    REPLY,
    USER,
    WAYS,
    WEIGHTS,
    FeltReading,
    Window,
    WindowReader,
    numbers_of,
    runs,
)
from holdfast.agents.raters.labelled import Labelled, folds_by_person
from holdfast.agents.raters.linear.features import Floats, Ints, numbered, rarity, vocabulary

#: What the words of each side count for: as the mean over the window's messages, and in the last ones.
WORD_WEIGHTS = {REPLY: VIEW_WEIGHTS[0::2], USER: VIEW_WEIGHTS[1::2]}
PENALTIES = (4.0, 8.0, 16.0, 32.0)
_FOLDS = 5
_LEAST = 3  # chats that must hold a run of words for it to count


@dataclass(frozen=True, slots=True)
class FeltFit:
    """A model, the penalty chosen, and the predictions for people left out (n, 1) at the end of their chats, 1-5."""

    model: FeltModel
    penalties: tuple[float, ...]
    held_out: Floats
    rows: Ints  # (n,) which of the chats were fitted on


@dataclass(frozen=True, slots=True)
class FeltRecipe:
    """How the feeler is fitted; the one place that ``rater fit`` and ``validate`` share."""

    reader: WindowReader = field(default_factory=WindowReader)

    def fit(self, reading: FeltReading, labelled: Labelled, seed: int = 0) -> FeltFit:
        """Fit on every chat that has a reply and a label. Raises :class:`DataError` where too few people are left."""
        known = ~np.isnan(labelled.labels).any(axis=1)
        rows = np.flatnonzero(known & np.array([bool(window) for window in reading.windows]))
        labelled, windows = labelled.rows(rows), reading.rows(rows).windows
        require_people(labelled, _FOLDS)
        prefixes = [(chat, size) for chat, window in enumerate(windows) for size in range(1, len(window) + 1)]
        chat = np.array([number for number, _ in prefixes])
        ends = np.flatnonzero(np.append(chat[1:] != chat[:-1], True))
        labels, fold = labelled.labels[chat], folds_by_person(labelled.people, _FOLDS, seed)[chat]
        design = _design(windows, prefixes)
        penalties, left_out = best_penalties(design.kernel, labels, fold, PENALTIES)
        scale = labelled.scale
        return FeltFit(
            _model(design, labels, penalties[0]), penalties, np.clip(left_out[ends], scale.low, scale.high), rows
        )

    def manifest(self, labelled: Labelled) -> Manifest:
        """What is written beside weights that were fitted on ``labelled``."""
        return Manifest(
            kind="linear",
            scale="felt",
            dimensions=labelled.dimensions,
            history=HISTORY,
            ways=WAYS,  # type: ignore[arg-type]  # pydantic checks it
            fitted_on=labelled.id,
            people=hashed_people(labelled),
        )


@dataclass(frozen=True, slots=True)
class _Design:
    """n chats, broken off somewhere, as centred features. ``words``: the two ways of (n, F); ``kernel``: (n, n)."""

    table: WordTable
    centre: Floats  # (D,)
    spread: Floats
    dense: Floats  # (n, D), centred
    dense_mean: Floats
    words: tuple[csr_array, csr_array]
    kernel: Floats


def _design(windows: Sequence[Window], prefixes: Sequence[tuple[int, int]]) -> _Design:
    counted = np.array([numbers_of(windows[chat][:size]) for chat, size in prefixes])
    centre, spread = counted.mean(axis=0), counted.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0) / WEIGHTS
    dense = within((counted - centre) / spread, WEIGHTS)
    dense_mean = dense.mean(axis=0)  # not 0 where something was cut off
    dense = dense - dense_mean
    table = _table(windows)
    words = _words(windows, prefixes, table)
    mean, last = (np.asarray((each @ each.T).toarray(), dtype=np.float64) for each in words)
    products = mean + last
    products = products - products.mean(axis=0) - products.mean(axis=1)[:, None] + products.mean()
    return _Design(table, centre, spread, dense, dense_mean, words, dense @ dense.T + products)


def _model(design: _Design, labels: Floats, penalty: float) -> FeltModel:
    alpha = dual(design.kernel, labels, penalty)[0][:, 0]
    means = [np.asarray(each.mean(axis=0)).ravel() for each in design.words]
    by_way = [each.T @ alpha - mean * alpha.sum() for each, mean in zip(design.words, means, strict=True)]
    dense = design.dense.T @ alpha
    bias = labels.mean() - design.dense_mean @ dense
    bias -= sum(float(mean @ weights) for mean, weights in zip(means, by_way, strict=True))
    scaled = np.stack(by_way, axis=1) * _side_weights(design.table)
    return FeltModel(design.table, design.centre, design.spread, dense, scaled.astype(np.float32), np.array([bias]))


def _side_weights(table: WordTable) -> Floats:
    """(F, 2): of each run, by whose words it is of."""
    return np.array([WORD_WEIGHTS[REPLY], WORD_WEIGHTS[USER]])[table.keys % 2]


def _table(windows: Sequence[Window]) -> WordTable:
    """The runs of words that at least :data:`_LEAST` chats hold, on one side."""
    words = vocabulary(("\n".join(f"{turn.user}\n{turn.reply}" for turn in window) for window in windows), _LEAST)
    numbers = numbered(words)
    chats = []
    for window in windows:
        there = {key for turn in window for side, text in _sides(turn) for key in runs(text, numbers, side)}
        chats.append(np.fromiter(there, dtype=np.int64, count=len(there)))
    keys, count = np.unique(np.concatenate(chats), return_counts=True)
    keys, count = keys[count >= _LEAST], count[count >= _LEAST]
    return WordTable(words, keys, rarity(count, len(windows)).astype(np.float32))


def _sides(turn: WindowTurn) -> tuple[tuple[int, str], tuple[int, str]]:
    return (REPLY, turn.reply), (USER, turn.user)


def _words(
    windows: Sequence[Window], prefixes: Sequence[tuple[int, int]], table: WordTable
) -> tuple[csr_array, csr_array]:
    """Both (n, F): the weighted mean of unit vectors over a window's messages, and over the last ones."""
    place = {key: number for number, key in enumerate(table.keys.tolist())}
    idf = table.idf.astype(np.float64)

    def vector(side: int, text: str) -> tuple[Ints, Floats]:
        at = np.array([place[key] for key in runs(text, table.numbers, side) if key in place], dtype=np.int64)
        return at, idf[at] / (np.linalg.norm(idf[at]) or 1.0)

    vectors = [[[vector(*each) for each in _sides(turn)] for turn in window] for window in windows]
    mean, last = _Rows(), _Rows()
    for row, (chat, size) in enumerate(prefixes):
        turns = vectors[chat][:size]
        for turn in turns:
            for side in (REPLY, USER):
                mean.add(row, turn[side], WORD_WEIGHTS[side][0] / size)
        last.add(row, turns[-1][REPLY], WORD_WEIGHTS[REPLY][1])
        for turn in turns[-LAST_MESSAGES:]:
            last.add(row, turn[USER], WORD_WEIGHTS[USER][1] / min(size, LAST_MESSAGES))
    shape = (len(prefixes), len(idf))
    return mean.array(shape), last.array(shape)


class _Rows:
    """A sparse table, put together row by row."""

    def __init__(self) -> None:
        self._parts: list[tuple[Ints, Ints, Floats]] = []

    def add(self, row: int, vector: tuple[Ints, Floats], share: float) -> None:
        at, values = vector
        self._parts.append((np.full(len(at), row), at, values * share))

    def array(self, shape: tuple[int, int]) -> csr_array:
        rows, columns, values = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        return csr_array((values, (rows, columns)), shape=shape)
