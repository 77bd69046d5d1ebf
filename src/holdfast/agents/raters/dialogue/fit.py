"""Fits a dialogue rater on people's labels: seeded, grouped by person, the same numbers on every run.

Ridge regression per dimension. Its penalty, and the map from its sum to the scale, are chosen on people who were left
out of the regression (folds grouped by person). With n passages and many more words, the n x n table of inner products
holds all that ridge regression needs (Saunders, Gammerman and Vovk 1998): a penalty costs one solve of n equations,
whatever the number of features, and every dimension shares it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import solve
from scipy.sparse import csr_array

from holdfast.agents.raters.agreement import best_cuts
from holdfast.agents.raters.dialogue.model import DialogueModel, within
from holdfast.agents.raters.dialogue.reading import Reading
from holdfast.agents.raters.dialogue.word_table import WordTable, make_table
from holdfast.agents.raters.labelled import Labelled, folds_by_person
from holdfast.agents.raters.linear.features import Floats, Ints
from holdfast.agents.raters.protocol import Scale
from holdfast.core.errors import DataError

#: How sums become scores. "expected" leaves them (least error); "levels" cuts them where rounding to levels 0, 1, 2
#: agrees best.
Spread = Literal["expected", "levels"]
PENALTIES: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_FOLDS = 5
_LEAST = 3  # passages that must hold a run of words for it to count


@dataclass(frozen=True, slots=True)
class DialogueFit:
    """A model, and per dimension the penalty chosen and the predictions for people left out (n, K), on the scale."""

    model: DialogueModel
    penalties: tuple[float, ...]
    held_out: Floats
    rows: Ints  # (n,) which of the passages were fitted on


def fit_reading(reading: Reading, labelled: Labelled, spread: Spread, seed: int = 0) -> DialogueFit:
    """Fit on every passage that has a reply and all labels.

    Raises :class:`DataError` where too few people are left, or all labels of a dimension are the same.
    """
    rows = np.flatnonzero(~reading.empty & ~np.isnan(labelled.labels).any(axis=1))
    reading, labelled = reading.rows(rows), labelled.rows(rows)
    require_people(labelled, _FOLDS)
    design = _design(reading)
    penalties, left_out = best_penalties(design.kernel, labelled.labels, folds_by_person(labelled.people, _FOLDS, seed))
    knots = [_knots(*columns, labelled.scale, spread) for columns in zip(left_out.T, labelled.labels.T, strict=True)]
    held_out = [np.interp(column, *knot) for column, knot in zip(left_out.T, knots, strict=True)]
    return DialogueFit(_model(design, labelled.labels, penalties, knots), penalties, np.stack(held_out, axis=1), rows)


def require_people(labelled: Labelled, folds: int) -> None:
    """Raise :class:`DataError` where people are fewer than ``folds``, or all labels of a dimension are the same."""
    if len(set(labelled.people)) < folds:
        raise DataError(f"{labelled.id}: {len(set(labelled.people))} people with labels; fitting needs {folds}.")
    for name, same in zip(labelled.dimensions, np.ptp(labelled.labels, axis=0) == 0, strict=True):
        if same:
            raise DataError(f"{labelled.id}: every label of {name} is the same; nothing can be learned from it.")


def _model(
    design: _Design, labels: Floats, penalties: Sequence[float], knots: Sequence[tuple[Floats, Floats]]
) -> DialogueModel:
    """Fitted on everybody, with the penalties and maps that were chosen on people left out."""
    by_penalty = {penalty: dual(design.kernel, labels, penalty) for penalty in set(penalties)}
    alpha = np.stack([by_penalty[penalty][0][:, k] for k, penalty in enumerate(penalties)], axis=1)
    words = design.words.T @ alpha - np.outer(design.word_mean, alpha.sum(axis=0))
    dense = design.dense.T @ alpha
    return DialogueModel(
        table=design.table,
        centre=design.centre,
        spread=design.spread,
        dense_weights=dense,
        word_weights=words.astype(np.float32),
        bias=labels.mean(axis=0) - design.word_mean @ words - design.dense_mean @ dense,
        scale=np.stack([*(sums for sums, _ in knots), knots[0][1]], axis=1),
    )


@dataclass(frozen=True, slots=True)
class _Design:
    """n passages as centred features. ``kernel``: (n, n) their inner products."""

    table: WordTable
    centre: Floats  # (D,)
    spread: Floats  # (D,)
    dense: Floats  # (n, D), centred
    dense_mean: Floats  # (D,) before
    words: csr_array  # (n, F), not centred
    word_mean: Floats  # (F,)
    kernel: Floats


def _design(reading: Reading) -> _Design:
    centre, spread = reading.dense.mean(axis=0), reading.dense.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0) / reading.weights
    dense = within((reading.dense - centre) / spread, reading.weights)
    dense_mean = dense.mean(axis=0)  # not 0 where something was cut off
    dense = dense - dense_mean
    table = make_table(reading.views, _LEAST)
    row, feature, value = table.find(reading.views)
    words = csr_array((value, (row, feature)), shape=(len(dense), len(table.keys)))
    word_mean = np.asarray(words.sum(axis=0)).ravel() / max(len(dense), 1)
    products = np.asarray((words @ words.T).toarray())
    products = products - products.mean(axis=0) - products.mean(axis=1)[:, None] + products.mean()
    return _Design(table, centre, spread, dense, dense_mean, words, word_mean, dense @ dense.T + products)


def dual(kernel: Floats, labels: Floats, penalty: float) -> tuple[Floats, Floats]:
    """alpha (n, K) and bias (K,) of ridge regression: prediction = inner products with the n passages @ alpha + bias.

    ``kernel``: (n, n) inner products of the passages; ``labels``: (n, K). The bias is the labels' mean, unpenalised, as
    if every feature had mean 0: kernels here are of centred features.
    """
    bias = labels.mean(axis=0)
    alpha = solve(kernel + penalty * np.eye(len(kernel)), labels - bias, assume_a="pos")
    return np.asarray(alpha, dtype=np.float64), np.asarray(bias, dtype=np.float64)


def held_out(kernel: Floats, labels: Floats, fold: Ints, penalty: float) -> Floats:
    """(n, K) predictions of each passage by a regression that saw no passage of its fold."""
    predicted = np.empty(labels.shape)
    for number in np.unique(fold):
        rest, out = fold != number, fold == number
        alpha, bias = dual(kernel[np.ix_(rest, rest)], labels[rest], penalty)
        predicted[out] = kernel[np.ix_(out, rest)] @ alpha + bias
    return predicted


def best_penalties(
    kernel: Floats, labels: Floats, fold: Ints, penalties: Sequence[float] = PENALTIES
) -> tuple[tuple[float, ...], Floats]:
    """Per dimension the one of ``penalties`` (rising) with least squared error on left-out folds, the largest of
    equals, and those predictions, (n, K)."""
    largest_first = tuple(penalties)[::-1]
    tried = np.stack([held_out(kernel, labels, fold, penalty) for penalty in largest_first])
    best = np.argmin(np.mean((tried - labels) ** 2, axis=1), axis=0)
    chosen = np.stack([tried[index, :, k] for k, index in enumerate(best)], axis=1)
    return tuple(largest_first[index] for index in best), chosen


def _knots(left_out: Floats, label: Floats, scale: Scale, spread: Spread) -> tuple[Floats, Floats]:
    """What sums map to what levels, (P,) each, both rising: chosen on predictions for people left out."""
    if spread == "levels":
        (low, high), _ = best_cuts(left_out, label)
        least, most = min(scale.low, low - 0.25), max(scale.high, high + 0.25)
        return np.array([least, low, high, most]), np.array([0.0, 0.5, 1.5, 2.0])
    levels = np.array([scale.low, scale.high], dtype=np.float64)
    return levels, levels
