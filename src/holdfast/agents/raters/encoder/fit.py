"""Fits the encoder rater's head: on the same labels and folds as the linear rater, whose held-out logits it weighs.

The linear rater is fitted first. What the head sees of it are logits of replies that it had not seen, so that the head
learns how far to trust words as they will be met. How strongly to regularise, the curves and the scale are chosen on
held-out folds, grouped by the post that was answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdfast.agents.raters.encoder.head import EncoderHead, HeadSettings
from holdfast.agents.raters.encoder.minilm import checked_folder
from holdfast.agents.raters.encoder.rater import WORDS, sentences_to_encode
from holdfast.agents.raters.encoder.vectors import MAX_TOKENS, encoder_sha256, vectors_in_batches
from holdfast.agents.raters.linear.card import ENCODER, write_card
from holdfast.agents.raters.linear.features import Floats
from holdfast.agents.raters.linear.fit import (
    FittedLinear,
    Labels,
    add_without,
    fit,
    kappas,
    write_linear,
)
from holdfast.agents.raters.linear.heads import best_heads, curves_of, expected, fitted_scale, strongest_of
from holdfast.agents.raters.linear.rater import SHIPPED, LinearRater
from holdfast.personas.schema import MECHANISMS

STRENGTHS = (0.02, 0.05)  # inverse L2 penalties tried; .007 and .2 did worse
VECTOR_WEIGHT, LOGIT_WEIGHT = 10.0, 0.25  # what vectors and the linear rater's logits are multiplied by while fitting


@dataclass(frozen=True, slots=True)
class FittedEncoder:
    """A head, the linear rater that it belongs to, and mechanism -> cross-validated numbers."""

    head: EncoderHead
    linear: FittedLinear
    held_out: Mapping[str, Mapping[str, float]]


def fit_encoder_files(labels: Labels, out: Path, seed: int = 0) -> FittedEncoder:
    """Fit on ``labels``; write the head, its settings and its card to ``out``.

    The linear rater goes into a folder beside the head, unless it is the one that holdfast ships.

    Raises:
        DataError: a mechanism lacks a level, so that nothing could be learned.
        InputError, ModelError: see :func:`holdfast.agents.raters.encoder.minilm.checked_folder`.
    """
    checked_folder()  # before minutes of fitting
    fitted = fit_encoder(labels, seed)
    fitted.head.save(out)
    write_linear(fitted.linear, labels, out / WORDS)
    words = LinearRater(out / WORDS).identity.version
    if words == LinearRater(SHIPPED).identity.version:
        for file in (out / WORDS).iterdir():
            file.unlink()
        (out / WORDS).rmdir()
    HeadSettings(encoder=encoder_sha256(), words=words, max_tokens=MAX_TOKENS).save(out)
    what = ENCODER.format(features=len(fitted.head.weights))
    write_card(out, what, fitted.held_out, labels.peers, labels.assistants)
    return fitted


def fit_encoder(labels: Labels, seed: int = 0) -> FittedEncoder:
    """Fit a head. ``held_out`` also tells what one that saw peers only has, on peers' and on assistants' replies."""
    before = fit_encoder(Labels(labels.peers), seed) if labels.assistants else None
    linear = fit(labels, seed, before=None if before is None else before.linear)
    vectors = vectors_in_batches(sentences_to_encode([pair.reply for pair in labels.everything]))
    parts = [_fit_mechanism(linear, m, vectors, len(labels.peers)) for m in range(len(MECHANISMS))]
    arrays = {
        name: np.concatenate([part[name] for part, _ in parts], axis=0 if name == "scale" else -1)
        for name in parts[0][0]
    }
    figures = {str(name): numbers for name, (_, numbers) in zip(MECHANISMS, parts, strict=True)}
    if before is not None:
        texts = [pair.reply for pair in labels.assistants]
        rated = before.head.levels(vectors[-len(sentences_to_encode(texts)) :], before.linear.model.logits(texts))
        add_without(figures, before.held_out, rated, labels)
    return FittedEncoder(EncoderHead(**arrays), linear, figures)


def _fit_mechanism(
    linear: FittedLinear, m: int, vectors: Floats, peers: int
) -> tuple[dict[str, Floats], dict[str, float]]:
    """One mechanism's part of the arrays of :class:`EncoderHead`, and the numbers of its card."""
    design, words = linear.design, np.concatenate([part.by_sentence for part in linear.parts], axis=1)
    truth, fold = design.levels[:, m], design.fold[design.reply]
    rows = np.concatenate([VECTOR_WEIGHT * vectors, LOGIT_WEIGHT * words], axis=1).astype(np.float32)  # half the time
    beside = linear.parts[m].whole
    settings = [(strength, linear.parts[m].figures["own"]) for strength in STRENGTHS]
    fitted = best_heads(design.labelled(m, rows), fold, settings, truth, beside)
    joint = np.concatenate([strongest_of(fitted.by_sentence, design.reply, len(truth)), beside], axis=1)
    curves = curves_of(joint, truth)
    level = expected(joint, curves)
    counted = np.repeat([VECTOR_WEIGHT, LOGIT_WEIGHT], [vectors.shape[1], words.shape[1]])
    arrays = {
        "weights": fitted.theta[:-1] * counted[:, None],
        "bias": fitted.theta[-1],
        "curves": curves,
        "scale": fitted_scale(level, truth),
    }
    return arrays, {"strength": fitted.strength} | kappas(level, truth, design.fold, peers)
