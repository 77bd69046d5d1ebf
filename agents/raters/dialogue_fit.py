"""Fits a dialogue rater on people's labels: seeded, grouped by person, the same numbers on every run.

Ridge regression per dimension. Its penalty, and the map from its sum to the scale, are chosen on people who were left
out of the regression (folds grouped by person).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_array

from agents.raters.dialogue_model import DialogueModel, within
from agents.raters.features import Floats, Ints
from agents.raters.fit import best_cuts
from agents.raters.judgement import Scale
from agents.raters.labelled import Labelled, folds_by_person
from agents.raters.reading import Reading
from agents.raters.ridge import best_penalty, dual
from agents.raters.word_table import WordTable, make_table
from personas.errors import DataError

Spread = Literal["expected", "as_people", "levels"]
_FOLDS = 5
_MOST_STRETCH = 4.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What fitting may choose between.

    ``least``: passages that must hold a run of words for it to count. ``spread``: how sums become scores. "expected"
    leaves them (least error); "as_people" stretches them until they spread as people's do (best agreement as kappa
    counts it); "levels" cuts them where rounding to levels 0, 1, 2 agrees best.
    """

    least: int = 3
    spread: Spread = "expected"


@dataclass(frozen=True, slots=True)
class DialogueFit:
    """A model, and per dimension the penalty chosen and the predictions for people left out (n, K), on the scale."""

    model: DialogueModel
    penalties: tuple[float, ...]
    held_out: Floats
    rows: Ints  # (n,) which of the passages were fitted on


def fit_reading(reading: Reading, labelled: Labelled, settings: Settings, seed: int = 0) -> DialogueFit:
    """Fit on every passage that has a reply and a label. Raises :class:`DataError` where too few people are left."""
    rows = np.flatnonzero(~reading.empty & ~np.isnan(labelled.labels).all(axis=1))
    reading, labelled = reading.rows(rows), labelled.rows(rows)
    if len(set(labelled.people)) < _FOLDS:
        raise DataError(f"{labelled.id}: {len(set(labelled.people))} people with labels; fitting needs {_FOLDS}.")
    fold = folds_by_person(labelled.people, _FOLDS, seed)
    design = _design(reading, settings)
    heads = [
        _head(design, labelled.labels[:, k], fold, f"{labelled.id}: {name}")
        for k, name in enumerate(labelled.dimensions)
    ]
    scale = [
        _knots(head.left_out, labelled.labels[:, k], labelled.scale, settings.spread) for k, head in enumerate(heads)
    ]
    model = DialogueModel(
        table=design.table,
        centre=design.centre,
        spread=design.spread,
        dense_weights=np.stack([head.dense for head in heads], axis=1),
        word_weights=np.stack([head.words for head in heads], axis=1).astype(np.float32),
        bias=np.array([head.bias for head in heads]),
        scale=np.stack([*(inputs for inputs, _ in scale), scale[0][1]], axis=1),
    )
    held_out = np.stack([np.interp(head.left_out, *knots) for head, knots in zip(heads, scale, strict=True)], axis=1)
    return DialogueFit(model, tuple(head.penalty for head in heads), held_out, rows)


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


def _design(reading: Reading, settings: Settings) -> _Design:
    centre, spread = reading.dense.mean(axis=0), reading.dense.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0) / reading.weights
    dense = within((reading.dense - centre) / spread, reading.weights)
    dense_mean = dense.mean(axis=0)  # not 0 where something was cut off
    dense = dense - dense_mean
    table = make_table(reading.views, settings.least)
    row, feature, value = table.find(reading.views)
    words = csr_array((value, (row, feature)), shape=(len(dense), len(table.keys)))
    word_mean = np.asarray(words.sum(axis=0)).ravel() / max(len(dense), 1)
    products = np.asarray((words @ words.T).toarray())
    products = products - products.mean(axis=0) - products.mean(axis=1)[:, None] + products.mean()
    return _Design(table, centre, spread, dense, dense_mean, words, word_mean, dense @ dense.T + products)


@dataclass(frozen=True, slots=True)
class _Head:
    """One dimension: its weights, and what it predicts for people whom it had not seen, (n,)."""

    penalty: float
    left_out: Floats
    dense: Floats
    words: Floats
    bias: float


def _head(design: _Design, label: Floats, fold: Ints, name: str) -> _Head:
    there = ~np.isnan(label)
    if np.ptp(label[there]) == 0:
        raise DataError(f"{name}: every label is the same; nothing can be learned from it.")
    penalty, left_out = best_penalty(design.kernel, label, fold)
    alpha, bias = dual(design.kernel[np.ix_(there, there)], label[there], penalty)
    words = design.words[there].T @ alpha - design.word_mean * alpha.sum()
    dense = design.dense[there].T @ alpha
    bias -= float(design.word_mean @ words + design.dense_mean @ dense)
    return _Head(penalty, left_out, dense, words, bias)


def _knots(left_out: Floats, label: Floats, scale: Scale, spread: Spread) -> tuple[Floats, Floats]:
    """What sums map to what levels, (P,) each, both rising: chosen on predictions for people left out."""
    there = ~np.isnan(label)
    if spread == "levels":
        (low, high), _ = best_cuts(left_out[there], label[there])
        least, most = min(scale.low, low - 0.25), max(scale.high, high + 0.25)
        return np.array([least, low, high, most]), np.array([0.0, 0.5, 1.5, 2.0])
    levels = np.array([scale.low, scale.high], dtype=np.float64)
    if spread == "expected":
        return levels, levels
    middle = float(label[there].mean())
    stretch = float(np.clip(label[there].std() / max(left_out[there].std(), 1e-9), 1.0, _MOST_STRETCH))
    return middle + (levels - middle) / stretch, levels
