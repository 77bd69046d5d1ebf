"""Fits the linear rater on EPITOME's human labels: seeded, grouped by post, the same bytes on every run.

Heads are logistic regressions on sentences, of which the strongest answers for its reply (:mod:`heads`), and on the
words of a reply's sentences that pass a gate. How strongly to regularise, the gate, the curves and the scale are chosen
on replies that the weights had not seen (folds grouped by the post that was answered).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from holdfast.agents.raters.agreement import best_cuts, quadratic_weighted_kappa
from holdfast.agents.raters.dialogue.manifest import hashed
from holdfast.agents.raters.linear.card import LINEAR, write_card
from holdfast.agents.raters.linear.design import DesignMatrix, prepare
from holdfast.agents.raters.linear.epitome_pairs import POSTS, PREFIXES, EpitomePair, read_pairs
from holdfast.agents.raters.linear.features import Floats, Ints
from holdfast.agents.raters.linear.heads import (
    LEVELS,
    best_heads,
    curves_of,
    expected,
    fitted_scale,
    logistic,
    nested_kappa,
    strongest_of,
)
from holdfast.agents.raters.linear.labelled_replies import read_labelled_replies
from holdfast.agents.raters.linear.rater import PEOPLE, LinearModel
from holdfast.core.errors import DataError
from holdfast.core.reading.tables import table_beside
from holdfast.personas.schema import MECHANISMS

STRENGTH = 4.0  # inverse L2 penalty of sentences' heads; 2 did about as well
OWN = (0.0, 1.0)  # what sentences' own log loss may count beside their replies'
REPLY_STRENGTHS = (0.1, 0.3, 1.0)  # inverse L2 penalties tried, whole replies
GATE = 0.9  # of the sentences of replies at level 0: what the gate keeps out of the whole reply


@dataclass(frozen=True, slots=True)
class Labels:
    """Labelled replies: ``peers``' by people, and ``assistants``' by whoever labelled them."""

    peers: Sequence[EpitomePair]
    assistants: Sequence[EpitomePair] = ()

    @classmethod
    def read(cls, data: Path, replies: Path | None) -> Labels:
        """Read ``pairs.csv`` in ``data`` or in ``data/epitome_reddit``, and the assistants' ``replies`` if given.

        Raises:
            DataError, InputError: they are absent or malformed.
        """
        nested = data / "epitome_reddit" / "pairs.csv"
        pairs = read_pairs(nested if table_beside(nested).exists() else data / "pairs.csv")
        return cls(pairs, [] if replies is None else read_labelled_replies(replies))

    @property
    def everything(self) -> list[EpitomePair]:
        """The peers' replies, then the assistants'."""
        return [*self.peers, *self.assistants]


@dataclass(frozen=True, slots=True)
class FittedLinear:
    """A model and what was held out while fitting it. ``held_out``: mechanism -> cross-validated numbers."""

    model: LinearModel
    design: DesignMatrix
    parts: Sequence[FittedMechanism]
    held_out: Mapping[str, Mapping[str, float]]


def fit_files(labels: Labels, out: Path, seed: int = 0) -> FittedLinear:
    """Fit on ``labels``; write weights, vocabulary, people and card to ``out``.

    Raises :class:`DataError` where a mechanism lacks a level, so that nothing could be learned.
    """
    fitted = fit(labels, seed=seed)
    write_linear(fitted, labels, out)
    return fitted


def write_linear(fitted: FittedLinear, labels: Labels, out: Path) -> None:
    """Write weights, vocabulary, people and card to ``out``."""
    fitted.model.save(out)
    posts = sorted({hashed(POSTS, pair.post_id) for pair in labels.peers})  # so that no report rests on one of them
    (out / PEOPLE).write_text(json.dumps(posts, indent=0) + "\n", encoding="utf-8", newline="\n")
    what = LINEAR.format(features=len(fitted.model.keys))
    write_card(out, what, fitted.held_out, labels.peers, labels.assistants)


def fit(
    labels: Labels, seed: int = 0, folds: int = 5, min_replies: int = 3, before: FittedLinear | None = None
) -> FittedLinear:
    """Fit the model on peers' replies, and on assistants' where there are any.

    ``min_replies``: a run of words seen in fewer replies is no feature; ``before``: the same on peers' replies alone,
    fitted here where it is not given. With assistants' replies, ``held_out`` tells
    kappa on each kind apart, and what a model that saw peers only has on both (``qwk_peers_without``,
    ``qwk_without``).

    Raises :class:`DataError` where a mechanism lacks a level in some fold's rest, so that nothing could be learned.
    """
    if before is None and labels.assistants:
        before = fit(Labels(labels.peers), seed, folds, min_replies)
    design = prepare(labels.everything, seed, folds, min_replies)
    parts = [fit_mechanism(design, m, len(labels.peers)) for m in range(len(MECHANISMS))]
    arrays = {
        name: np.concatenate([part.arrays[name] for part in parts], axis=0 if name == "scale" else -1)
        for name in parts[0].arrays
    }
    model = LinearModel(design.words, design.keys, design.idf.astype(np.float32), **arrays)
    figures = {str(name): part.figures for name, part in zip(MECHANISMS, parts, strict=True)}
    if before is not None:
        add_without(figures, before.held_out, before.model.levels([pair.reply for pair in labels.assistants]), labels)
    return FittedLinear(model, design, parts, figures)


def add_without(
    figures: Mapping[str, dict[str, float]], before: Mapping[str, Mapping[str, float]], rated: Floats, labels: Labels
) -> None:
    """Add the kappas of a rater that was fitted on peers only.

    ``before``: its cross-validated numbers on peers; ``rated``: (n, 3) its levels of the assistants' replies.
    """
    truth = np.array([pair.levels for pair in labels.assistants])
    for m, (name, numbers) in enumerate(figures.items()):
        numbers["qwk_peers_without"] = before[name]["qwk"]
        numbers["qwk_without"] = quadratic_weighted_kappa(np.floor(rated[:, m] + 0.5), truth[:, m])


@dataclass(frozen=True, slots=True)
class FittedMechanism:
    """One mechanism: its part of the arrays of :class:`LinearModel`, the numbers of its card, and what was held out.

    By weights that saw no reply to the same post: ``by_sentence``: (S, 2) logits of sentences, ``whole``: (R, 2) of
    what passes the gate.
    """

    arrays: Mapping[str, NDArray[np.floating]]
    figures: dict[str, float]
    by_sentence: Floats
    whole: Floats


def fit_mechanism(design: DesignMatrix, m: int, peers: int) -> FittedMechanism:
    """Fit the mechanism of number ``m``.

    ``peers``: how many replies, the first ones, are of peers; the rest are assistants'. Raises :class:`DataError` where
    a level never occurs.
    """
    truth = design.levels[:, m]
    if set(np.unique(truth)) != {0, 1, 2}:
        raise DataError(f"{PREFIXES[m]}_level: every level 0, 1, 2 must occur; found {sorted(set(truth.tolist()))}.")
    fold = design.fold[design.reply]
    fitted = best_heads(design.labelled(m, design.sentences()), fold, [(STRENGTH, own) for own in OWN], truth)
    gate = float(np.quantile(fitted.by_sentence[truth[design.reply] == 0, 0], GATE))
    replies = design.replies(fitted.by_sentence[:, 0] >= gate)
    most = strongest_of(fitted.by_sentence, design.reply, len(truth))
    tried = []
    for strength in REPLY_STRENGTHS:
        joint = np.concatenate([most, _whole(replies, truth, design.fold, strength)], axis=1)
        curves = curves_of(joint, truth)
        tried.append((best_cuts(expected(joint, curves), truth)[1], strength, joint, curves))
    _, strength, joint, curves = max(tried, key=lambda entry: entry[0])
    reply_theta = np.stack(
        [logistic(replies, truth >= level, np.ones(len(truth)), strength) for level in LEVELS], axis=1
    )
    level = expected(joint, curves)
    arrays = {
        "weights": fitted.theta[:-1].astype(np.float32),
        "bias": fitted.theta[-1],
        "reply_weights": reply_theta[:-1].astype(np.float32),
        "reply_bias": reply_theta[-1],
        "curves": curves,
        "scale": fitted_scale(level, truth),
        "gates": np.array([gate]),
    }
    figures = {"strength": fitted.strength, "own": fitted.own, "reply_strength": strength}
    return FittedMechanism(arrays, figures | kappas(level, truth, design.fold, peers), fitted.by_sentence, joint[:, 2:])


def _whole(replies: csr_array, truth: Ints, fold: Ints, strength: float) -> Floats:
    """(R, 2): logits of whole replies by weights that saw nothing of a reply's fold."""
    logits = np.empty((len(truth), len(LEVELS)))
    for number in np.unique(fold):
        out, rest = fold == number, fold != number
        for k, level in enumerate(LEVELS):
            theta = logistic(replies[rest], truth[rest] >= level, np.ones(int(rest.sum())), strength)
            logits[out, k] = replies[out] @ theta[:-1] + theta[-1]
    return logits


def kappas(level: Floats, truth: Ints, fold: Ints, peers: int) -> dict[str, float]:
    """Cross-validated kappa on all replies and, where some are assistants', on each kind; how many have each level."""
    figures = {"qwk": nested_kappa(level, truth, fold)}
    if peers < len(truth):
        figures["qwk_peers"] = nested_kappa(level, truth, fold, slice(peers))
        figures["qwk_assistants"] = nested_kappa(level, truth, fold, slice(peers, None))
    return figures | {f"n{number}": float((truth == number).sum()) for number in (0, *LEVELS)}
