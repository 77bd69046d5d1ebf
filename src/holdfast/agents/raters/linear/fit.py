"""Fits the linear rater on EPITOME's human labels: seeded, grouped by post, the same bytes on every run.

Sentence logits are L2-regularised logistic regressions (scipy's L-BFGS) on labels that the rationales give to
sentences, reply logits the same on whole replies. How strongly to regularise, the curves that join the two and the
scale are all chosen on replies that the weights had not seen (folds grouped by the post that was answered).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit

from holdfast.agents.raters.agreement import best_cuts, quadratic_weighted_kappa
from holdfast.agents.raters.dialogue.manifest import hashed
from holdfast.agents.raters.linear.card import write_linear_card
from holdfast.agents.raters.linear.epitome_pairs import POSTS, PREFIXES, EpitomePair, read_pairs, sentence_labels
from holdfast.agents.raters.linear.features import (
    REPLY_POWER,
    SENTENCE_POWER,
    Floats,
    Ints,
    Sentences,
    cut,
    grams,
    numbered,
    rarity,
    unit_weighted,
    vocabulary,
)
from holdfast.agents.raters.linear.labelled_replies import read_labelled_replies
from holdfast.agents.raters.linear.rater import PEOPLE, LinearModel
from holdfast.core.errors import DataError
from holdfast.core.reading.tables import table_beside
from holdfast.personas.schema import MECHANISMS

STRENGTHS = (0.5, 1.0, 2.0, 4.0)  # inverse L2 penalties tried, sentences
REPLY_STRENGTHS = (0.1, 0.3, 1.0)  # and whole replies
LEVELS = (1, 2)
NO_SENTENCE = -20.0  # the logit of a reply without words, while fitting
FREE = 1e3  # hardly any penalty: two or three numbers fitted on thousands of replies


@dataclass(frozen=True, slots=True)
class DesignMatrix:
    """Everything about the replies that fitting needs: R replies, S sentences, F features."""

    words: tuple[str, ...]
    keys: Ints  # (F,) sorted
    idf: Floats  # (F,)
    sentences: csr_array  # (S, F)
    replies: csr_array  # (R, F)
    reply: Ints  # (S,) the reply of each sentence
    sentence_levels: Ints  # (S, 3)
    sentence_weights: Ints  # (S, 3)
    levels: Ints  # (R, 3)
    fold: Ints  # (R,) grouped by post


@dataclass(frozen=True, slots=True)
class FittedLinear:
    """A model and what was held out while fitting it: mechanism -> cross-validated numbers."""

    model: LinearModel
    held_out: Mapping[str, Mapping[str, float]]
    replies: int
    posts: int


def fit_files(data: Path, out: Path, seed: int = 0, replies: Path | None = None) -> FittedLinear:
    """Fit on ``pairs.csv`` in ``data`` or in ``data/epitome_reddit``; write weights, vocabulary, people,
    card to ``out``.

    ``replies``: labelled replies of assistants, see :mod:`labelled_replies`, to fit on too.

    Raises:
        DataError, InputError: Labels are absent or malformed.
    """
    nested = data / "epitome_reddit" / "pairs.csv"
    pairs = read_pairs(nested if table_beside(nested).exists() else data / "pairs.csv")
    assistants = [] if replies is None else read_labelled_replies(replies)
    fitted = fit(pairs, assistants, seed=seed)
    fitted.model.save(out)
    posts = sorted({hashed(POSTS, pair.post_id) for pair in pairs})  # so that no report rests on one of them
    (out / PEOPLE).write_text(json.dumps(posts, indent=0) + "\n", encoding="utf-8", newline="\n")
    write_linear_card(
        out,
        fitted.held_out,
        peers=fitted.replies,
        posts=fitted.posts,
        assistants=len(assistants),
        contexts=len({pair.post_id for pair in assistants}),
        features=len(fitted.model.keys),
    )
    return fitted


def fit(
    pairs: Sequence[EpitomePair],
    assistants: Sequence[EpitomePair] = (),
    seed: int = 0,
    folds: int = 5,
    min_replies: int = 3,
) -> FittedLinear:
    """Fit the model on peers' replies, and on ``assistants``' where there are any.

    ``min_replies``: a run of words seen in fewer replies is no feature. With assistants' replies, ``held_out`` tells
    kappa on each kind apart, and what a model that saw peers only has on assistants' (``qwk_without``).

    Raises :class:`DataError` where a mechanism lacks a level in some fold's rest, so that nothing could be learned.
    """
    before = fit(pairs, (), seed, folds, min_replies).model if assistants else None
    design = prepare([*pairs, *assistants], seed, folds, min_replies)
    parts = [_fit_mechanism(design, m, len(pairs)) for m in range(len(MECHANISMS))]
    arrays = {
        name: np.concatenate([part[name] for part, _ in parts], axis=0 if name == "scale" else -1)
        for name in parts[0][0]
    }
    model = LinearModel(design.words, design.keys, design.idf.astype(np.float32), **arrays)
    held_out = {str(name): figures for name, (_, figures) in zip(MECHANISMS, parts, strict=True)}
    if before is not None:
        rated, truth = before.levels([pair.reply for pair in assistants]), design.levels[len(pairs) :]
        for m, name in enumerate(MECHANISMS):
            held_out[str(name)]["qwk_without"] = quadratic_weighted_kappa(np.round(rated[:, m]), truth[:, m])
    return FittedLinear(model, held_out, len(pairs), len({pair.post_id for pair in pairs}))


def prepare(pairs: Sequence[EpitomePair], seed: int, folds: int, min_replies: int) -> DesignMatrix:
    """Cut, count, weight by inverse document frequency, and deal posts into folds."""
    texts = [pair.reply for pair in pairs]
    words = vocabulary(texts, min_replies)
    sentences = cut(texts, numbered(words))
    keys, idf, by_sentence, by_reply = _features(sentences, len(words) + 1, len(texts), min_replies)
    _, post = np.unique([pair.post_id for pair in pairs], return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(post.max() + 1)
    sentence_levels, sentence_weights = sentence_labels(pairs)
    return DesignMatrix(
        words=words,
        keys=keys,
        idf=idf,
        sentences=by_sentence,
        replies=by_reply,
        reply=sentences.reply,
        sentence_levels=sentence_levels,
        sentence_weights=sentence_weights,
        levels=np.array([pair.levels for pair in pairs]),
        fold=dealt[post] % folds,
    )


def _features(
    sentences: Sentences, base: int, replies: int, min_replies: int
) -> tuple[Ints, Floats, csr_array, csr_array]:
    """Keys, idf, and the features of sentences and of replies."""
    key, place = grams(sentences, base)
    in_reply = np.unique(np.stack([key, sentences.reply[place]]), axis=1)
    keys, count = np.unique(in_reply[0], return_counts=True)
    keys, count = keys[count >= min_replies], count[count >= min_replies]
    if not len(keys):
        raise DataError(f"no word occurs in {min_replies} replies: too few pairs to fit a rater on.")
    idf = rarity(count, replies)
    where = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    here = keys[where] == key
    where, place = where[here], place[here]

    def rows(of: Ints, count: int, power: float) -> csr_array:
        return csr_array((unit_weighted(idf[where], of, count, power), (of, where)), shape=(count, len(keys)))

    by_sentence = rows(place, len(sentences.reply), SENTENCE_POWER)
    return keys, idf, by_sentence, rows(sentences.reply[place], replies, REPLY_POWER)


def _fit_mechanism(
    design: DesignMatrix, m: int, peers: int
) -> tuple[dict[str, NDArray[np.floating]], dict[str, float]]:
    """One mechanism's part of the arrays of :class:`LinearModel`, and the numbers of its card.

    ``peers``: how many replies, the first ones, are of peers; the rest are assistants'.
    """
    truth = design.levels[:, m]
    if set(np.unique(truth)) != {0, 1, 2}:
        raise DataError(f"{PREFIXES[m]}_level: every level 0, 1, 2 must occur; found {sorted(set(truth.tolist()))}.")
    _, strength, strongest = _best([(s, _held_out(design, m, s, _strongest)) for s in STRENGTHS], truth)
    _, reply_strength, joint = _best(
        [(s, np.concatenate([strongest, _held_out(design, m, s, _whole)], axis=1)) for s in REPLY_STRENGTHS], truth
    )
    expected, curves = _expected(joint, truth)
    everything = np.ones(len(truth), dtype=bool)
    heads = np.stack([_sentence_head(design, m, level, strength, everything) for level in LEVELS], axis=1)
    reply_heads = np.stack([_reply_head(design, m, level, reply_strength, everything) for level in LEVELS], axis=1)
    arrays = {
        "weights": heads[:-1].astype(np.float32),
        "bias": heads[-1],
        "reply_weights": reply_heads[:-1].astype(np.float32),
        "reply_bias": reply_heads[-1],
        "curves": curves,
        "scale": np.array([[0.0, *best_cuts(expected, truth)[0], 2.0]]),
    }
    figures = {
        "strength": strength,
        "reply_strength": reply_strength,
        "qwk": _nested_kappa(expected, truth, design.fold),
    }
    for name, part in (("qwk_peers", slice(peers)), ("qwk_assistants", slice(peers, None))):
        if peers < len(truth):
            figures[name] = _nested_kappa(expected, truth, design.fold, part)
    return arrays, figures | {f"n{level}": float((truth == level).sum()) for level in (0, *LEVELS)}


def _best(tried: Sequence[tuple[float, Floats]], truth: Ints) -> tuple[float, float, Floats]:
    """The kappa, strength and logits of the strength that agrees best; the first of equals."""
    ranked = [(best_cuts(_expected(logits, truth)[0], truth)[1], strength, logits) for strength, logits in tried]
    return max(ranked, key=lambda entry: entry[0])


Part = Callable[[DesignMatrix, int, int, float, NDArray[np.bool_]], Floats]


def _held_out(design: DesignMatrix, m: int, strength: float, part: Part) -> Floats:
    """(R, 2): both heads' logits of every reply, by weights that saw no reply to its post."""
    logits = np.empty((len(design.levels), len(LEVELS)))
    for fold in np.unique(design.fold):
        out = design.fold == fold
        for k, level in enumerate(LEVELS):
            logits[out, k] = part(design, m, level, strength, ~out)[out]
    return logits


def _strongest(design: DesignMatrix, m: int, level: int, strength: float, rest: NDArray[np.bool_]) -> Floats:
    head = _sentence_head(design, m, level, strength, rest)
    logits = np.full(len(design.levels), NO_SENTENCE)
    np.maximum.at(logits, design.reply, design.sentences @ head[:-1] + head[-1])
    return logits


def _whole(design: DesignMatrix, m: int, level: int, strength: float, rest: NDArray[np.bool_]) -> Floats:
    head = _reply_head(design, m, level, strength, rest)
    return np.asarray(design.replies @ head[:-1] + head[-1])


def _sentence_head(design: DesignMatrix, m: int, level: int, strength: float, replies: NDArray[np.bool_]) -> Floats:
    """(F + 1,) weights and bias of one head, fitted on the sentences of ``replies`` (R,)."""
    chosen = replies[design.reply]
    truth = design.sentence_levels[chosen, m] >= level
    return _logistic(design.sentences[chosen], truth, design.sentence_weights[chosen, m].astype(np.float64), strength)


def _reply_head(design: DesignMatrix, m: int, level: int, strength: float, replies: NDArray[np.bool_]) -> Floats:
    truth = design.levels[replies, m] >= level
    return _logistic(design.replies[replies], truth, np.ones(len(truth)), strength)


def _logistic(features: csr_array, positive: NDArray[np.bool_], weight: Floats, strength: float) -> Floats:
    """(F + 1,) weights and bias that minimise ``strength`` times the weighted log loss plus half their square."""
    truth, transposed = positive.astype(np.float64), csr_array(features.T)

    def loss(theta: Floats) -> tuple[float, Floats]:
        logit = features @ theta[:-1] + theta[-1]
        slope = weight * (expit(logit) - truth)
        fit = strength * (weight @ (np.logaddexp(0, logit) - truth * logit))
        gradient = np.append(strength * (transposed @ slope) + theta[:-1], strength * slope.sum())
        return float(fit + theta[:-1] @ theta[:-1] / 2), gradient

    start = np.zeros(features.shape[1] + 1)
    start[-1] = np.log((truth @ weight + 1) / ((1 - truth) @ weight + 1))
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x)


def _expected(logits: Floats, truth: Ints) -> tuple[Floats, Floats]:
    """Expected level (R,) and curves (columns / 2 + 1, 2) of ``logits``, whose columns alternate level 1, level 2."""
    curves = np.stack(
        [
            _logistic(csr_array(logits[:, k::2]), truth >= level, np.ones(len(truth)), FREE)
            for k, level in enumerate(LEVELS)
        ],
        axis=1,
    )
    chance = [expit(logits[:, k::2] @ curves[:-1, k] + curves[-1, k]) for k in range(len(LEVELS))]
    return np.asarray(chance[0] + np.minimum(*chance)), curves


def _nested_kappa(expected: Floats, truth: Ints, fold: Ints, part: slice = slice(None)) -> float:
    """Kappa of levels cut where the *other* folds say, over the replies in ``part``."""
    levels = np.zeros(len(truth))
    for number in np.unique(fold):
        cuts, _ = best_cuts(expected[fold != number], truth[fold != number])
        levels[fold == number] = (expected[fold == number, None] > cuts).sum(axis=1)
    return quadratic_weighted_kappa(levels[part], truth[part])
