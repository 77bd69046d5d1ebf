"""Fits the linear rater on EPITOME's human labels: seeded, grouped by post, the same bytes on every run.

Sentence logits are L2-regularised logistic regressions (scipy's L-BFGS) on labels that the rationales give to
sentences. How strongly to regularise, the reply-level logistic curves and the scale are all chosen on replies that
the sentence weights had not seen (folds grouped by the post that was answered).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit

from agents.raters.card import write_card
from agents.raters.features import ENDS, START, Floats, Ints, Sentences, cut, grams, tokens
from agents.raters.linear import LinearModel
from agents.raters.pairs import PREFIXES, Pair, read_pairs, sentence_labels
from personas.errors import DataError
from personas.schema import MECHANISMS

STRENGTHS = (1.0, 2.0, 4.0, 8.0)  # inverse L2 penalties tried
LEVELS = (1, 2)


@dataclass(frozen=True, slots=True)
class Design:
    """Everything about the replies that fitting needs: R replies, S sentences, F features."""

    words: tuple[str, ...]
    keys: Ints  # (F,) sorted
    idf: Floats  # (F,)
    features: csr_array  # (S, F), rows of unit length
    reply: Ints  # (S,) the reply of each sentence
    sentence_levels: Ints  # (S, 3)
    sentence_weights: Ints  # (S, 3)
    levels: Ints  # (R, 3)
    fold: Ints  # (R,) grouped by post


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model and what was held out while fitting it: mechanism -> cross-validated numbers."""

    model: LinearModel
    held_out: Mapping[str, Mapping[str, float]]
    replies: int
    posts: int


def fit_files(data: Path, out: Path, seed: int = 0) -> Fitted:
    """Fit on ``pairs.csv`` in ``data`` or in ``data/epitome_reddit``; write weights, vocabulary and card to ``out``.

    Raises :class:`DataError` where the labels are absent or malformed.
    """
    nested = data / "epitome_reddit" / "pairs.csv"
    fitted = fit(read_pairs(nested if nested.exists() else data / "pairs.csv"), seed=seed)
    fitted.model.save(out)
    write_card(out, fitted.held_out, fitted.replies, fitted.posts, len(fitted.model.keys))
    return fitted


def fit(pairs: Sequence[Pair], seed: int = 0, folds: int = 5, min_replies: int = 3) -> Fitted:
    """Fit the model. ``min_replies``: a run of words seen in fewer replies is no feature.

    Raises :class:`DataError` where a mechanism lacks a level in some fold's rest, so that nothing could be learned.
    """
    design = prepare(pairs, seed, folds, min_replies)
    columns = [_fit_mechanism(design, m) for m in range(len(MECHANISMS))]
    model = LinearModel(
        words=design.words,
        keys=design.keys,
        idf=design.idf.astype(np.float32),
        weights=np.concatenate([one.weights for one in columns], axis=1).astype(np.float32),
        bias=np.concatenate([one.bias for one in columns]),
        slope=np.concatenate([one.slope for one in columns]),
        offset=np.concatenate([one.offset for one in columns]),
        scale=np.stack([one.scale for one in columns]),
    )
    held_out = {str(name): one.held_out for name, one in zip(MECHANISMS, columns, strict=True)}
    return Fitted(model, held_out, len(pairs), len({pair.post_id for pair in pairs}))


def prepare(pairs: Sequence[Pair], seed: int, folds: int, min_replies: int) -> Design:
    """Cut, count, weight by inverse document frequency, and deal posts into folds."""
    texts = [pair.reply for pair in pairs]
    seen = Counter(word for text in texts for word in set(tokens(text)))
    known = sorted(word for word, count in seen.items() if count >= min_replies and word not in ENDS)
    words = (START, *ENDS, *known)
    sentences = cut(texts, {word: number for number, word in enumerate(words, start=1)})
    keys, idf, features = _features(sentences, len(words) + 1, len(texts), min_replies)
    _, post = np.unique([pair.post_id for pair in pairs], return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(post.max() + 1)
    sentence_levels, sentence_weights = sentence_labels(pairs)
    return Design(
        words=words,
        keys=keys,
        idf=idf,
        features=features,
        reply=sentences.reply,
        sentence_levels=sentence_levels,
        sentence_weights=sentence_weights,
        levels=np.array([pair.levels for pair in pairs]),
        fold=dealt[post] % folds,
    )


def _features(sentences: Sentences, base: int, replies: int, min_replies: int) -> tuple[Ints, Floats, csr_array]:
    key, place = grams(sentences, base)
    in_reply = np.unique(np.stack([key, sentences.reply[place]]), axis=1)
    keys, count = np.unique(in_reply[0], return_counts=True)
    keys, count = keys[count >= min_replies], count[count >= min_replies]
    if not len(keys):
        raise DataError(f"no word occurs in {min_replies} replies: too few pairs to fit a rater on.")
    idf = np.log((1 + replies) / (1 + count)) + 1
    where = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    here = keys[where] == key
    where, place = where[here], place[here]
    length = np.sqrt(np.bincount(place, weights=idf[where] ** 2, minlength=len(sentences.reply)))
    shape = (len(sentences.reply), len(keys))
    return keys, idf, csr_array((idf[where] / length[place], (place, where)), shape=shape)


@dataclass(frozen=True, slots=True)
class _Mechanism:
    """One mechanism's part of the model: weights (F, 2), bias, slope, offset (2,), scale (4,)."""

    weights: Floats
    bias: Floats
    slope: Floats
    offset: Floats
    scale: Floats
    held_out: dict[str, float]


def _fit_mechanism(design: Design, m: int) -> _Mechanism:
    truth = design.levels[:, m]
    if set(np.unique(truth)) != {0, 1, 2}:
        raise DataError(f"{PREFIXES[m]}_level: every level 0, 1, 2 must occur; found {sorted(set(truth.tolist()))}.")
    best: tuple[float, float, Floats, Floats, Floats] | None = None
    for strength in STRENGTHS:
        strongest = _held_out_logits(design, m, strength)
        curves = np.array([_logistic_curve(strongest[:, k], truth >= level) for k, level in enumerate(LEVELS)])
        expected = _expected(strongest, curves)
        cuts, kappa = best_cuts(expected, truth)
        if best is None or kappa > best[0]:
            best = (kappa, strength, curves, cuts, expected)
    assert best is not None
    _, strength, curves, cuts, expected = best
    everything = np.ones(len(truth), dtype=bool)
    heads = [_sentence_weights(design, m, level, strength, everything) for level in LEVELS]
    return _Mechanism(
        weights=np.stack([head[:-1] for head in heads], axis=1),
        bias=np.array([head[-1] for head in heads]),
        slope=curves[:, 0],
        offset=curves[:, 1],
        scale=np.array([0.0, *cuts, 2.0]),
        held_out={
            "strength": strength,
            "qwk": _nested_kappa(expected, truth, design.fold),
            **{f"n{level}": float((truth == level).sum()) for level in (0, *LEVELS)},
        },
    )


def _held_out_logits(design: Design, m: int, strength: float) -> Floats:
    """(R, 2): the strongest sentence's logit of every reply, by weights that saw no reply to its post."""
    strongest = np.full((len(design.levels), len(LEVELS)), -20.0)
    for fold in np.unique(design.fold):
        rest = design.fold != fold
        out = ~rest[design.reply]
        for k, level in enumerate(LEVELS):
            head = _sentence_weights(design, m, level, strength, rest)
            logits = design.features[out] @ head[:-1] + head[-1]
            np.maximum.at(strongest[:, k], design.reply[out], logits)
    return strongest


def _sentence_weights(design: Design, m: int, level: int, strength: float, replies: NDArray[np.bool_]) -> Floats:
    """(F + 1,) weights and bias of one head, fitted on the sentences of ``replies`` (R,)."""
    chosen = replies[design.reply]
    truth = (design.sentence_levels[chosen, m] >= level).astype(np.float64)
    weight = design.sentence_weights[chosen, m].astype(np.float64)
    return _logistic(design.features[chosen], truth, weight, strength)


def _logistic(features: csr_array, truth: Floats, weight: Floats, strength: float) -> Floats:
    transposed = csr_array(features.T)

    def loss(theta: Floats) -> tuple[float, Floats]:
        logit = features @ theta[:-1] + theta[-1]
        slope = weight * (expit(logit) - truth)
        fit = strength * (weight @ (np.logaddexp(0, logit) - truth * logit))
        return float(fit + theta[:-1] @ theta[:-1] / 2), np.append(
            strength * (transposed @ slope) + theta[:-1], strength * slope.sum()
        )

    start = np.zeros(features.shape[1] + 1)
    start[-1] = np.log((truth @ weight + 1) / ((1 - truth) @ weight + 1))
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x)


def _logistic_curve(logit: Floats, truth: NDArray[np.bool_]) -> Floats:
    """Slope and offset from the strongest sentence's logit to the reply's."""
    column = csr_array(logit[:, None])
    return _logistic(column, truth.astype(np.float64), np.ones(len(truth)), 1e3)


def _expected(strongest: Floats, curves: Floats) -> Floats:
    chance = expit(strongest * curves[:, 0] + curves[:, 1])
    return np.asarray(chance[:, 0] + np.minimum(chance[:, 0], chance[:, 1]))


def best_cuts(expected: Floats, truth: Ints, steps: int = 60) -> tuple[Floats, float]:
    """Two cuts of ``expected`` that agree best with ``truth`` (quadratic-weighted kappa), and that kappa.

    For levels a, b: kappa_w = 2 cov(a, b) / (var a + var b + (mean a - mean b)^2), which needs only sums per cut.
    """
    grid = np.unique(np.quantile(expected, np.linspace(0.2, 0.99, steps)))
    above = (expected[:, None] > grid).astype(np.float64)
    share, product = above.mean(axis=0), (above * truth[:, None]).mean(axis=0)
    low, high = np.triu_indices(len(grid))
    mean = share[low] + share[high]
    variance = share[low] + 3 * share[high] - mean**2  # above[low] >= above[high], both 0 or 1
    covariance = product[low] + product[high] - mean * truth.mean()
    kappa = 2 * covariance / (variance + truth.var() + (mean - truth.mean()) ** 2)
    kappa[grid[high] - grid[low] < 0.1] = -1  # a scale needs room between its cuts
    best = int(np.argmax(kappa))
    return grid[[low[best], high[best]]], float(kappa[best])


def _nested_kappa(expected: Floats, truth: Ints, fold: Ints) -> float:
    """Kappa of levels cut where the *other* folds say."""
    levels = np.zeros(len(truth))
    for one in np.unique(fold):
        cuts, _ = best_cuts(expected[fold != one], truth[fold != one])
        levels[fold == one] = (expected[fold == one, None] > cuts).sum(axis=1)
    covariance = np.mean(levels * truth) - levels.mean() * truth.mean()
    return float(2 * covariance / (levels.var() + truth.var() + (levels.mean() - truth.mean()) ** 2))
