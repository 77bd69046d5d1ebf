"""Logistic heads that ask of each sentence whether it is at a level, 1 or 2; the strongest answers for its reply.

Multiple-instance logistic regression with a maximum (Ray and Craven 2005, Supervised versus Multiple Instance Learning,
ICML), L2-regularised, by scipy's L-BFGS: a reply's log loss at its strongest sentence, and beside it the log loss of
the sentences whose own level is known. ``features`` are a row per sentence, sparse or dense; replies' sentences stand
together, in order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array, issparse
from scipy.special import expit

from holdfast.agents.raters.agreement import best_cuts, quadratic_weighted_kappa
from holdfast.agents.raters.linear.features import NO_SENTENCE, Floats, Ints

Features = csr_array | Floats | NDArray[np.float32]
LEVELS = (1, 2)
STEPS, ENOUGH = 150, 1e-7  # of a fit: steps at most, relative gain at which it stops
FREE = 1e3  # hardly any penalty: two or three numbers fitted on thousands of replies
QUIET = 0.9  # of the cut below which a level rounds to 0: there the scale begins, which moves no rounded level


@dataclass(frozen=True, slots=True)
class LabelledSentences:
    """Sentences with what is known of them: ``reply`` (S,) whose each is, rising; ``of_replies`` (S,) that reply's
    level, ``levels`` (S,) its own, and ``weights`` (S,) 1, or 0 where its own is not known."""

    features: Features
    reply: Ints
    of_replies: Ints
    levels: Ints
    weights: Floats

    def rows(self, chosen: NDArray[np.bool_]) -> "LabelledSentences":
        """The sentences that are ``chosen`` (S,): whole replies."""
        return LabelledSentences(
            self.features[chosen],
            self.reply[chosen],
            self.of_replies[chosen],
            self.levels[chosen],
            self.weights[chosen],
        )


def heads(sentences: LabelledSentences, strength: float, own: float) -> Floats:
    """(F + 1, 2): weights and bias of both heads.

    ``strength``: inverse L2 penalty; ``own``: what the log loss of sentences' own labels counts beside replies'.
    """
    return np.stack([_head(sentences, level, strength, own) for level in LEVELS], axis=1)


def heads_by_fold(sentences: LabelledSentences, fold: Ints, strength: float, own: float) -> Mapping[int, Floats]:
    """Fold -> the heads that were fitted on all other folds. ``fold``: (S,)."""
    return {int(number): heads(sentences.rows(fold != number), strength, own) for number in np.unique(fold)}


def logits_held_out(by_fold: Mapping[int, Floats], features: Features, fold: Ints) -> Floats:
    """(S, 2): both logits of each sentence, by the heads that saw nothing of its fold."""
    logits = np.empty((len(fold), len(LEVELS)))
    for number, theta in by_fold.items():
        rows = fold == number
        logits[rows] = features[rows] @ theta[:-1] + theta[-1]
    return logits


def strongest_of(logits: Floats, reply: Ints, replies: int) -> Floats:
    """(R, 2): the largest logits of each reply's sentences. ``logits``: (S, 2); ``reply``: (S,)."""
    largest = np.full((replies, logits.shape[1]), NO_SENTENCE)
    np.maximum.at(largest, reply, logits)
    return largest


def _head(sentences: LabelledSentences, level: int, strength: float, own: float) -> Floats:
    """(F + 1,) weights and bias of one head; it begins where the sentences' own labels alone would put it."""
    features, weights = sentences.features, own * sentences.weights
    alone = (sentences.levels >= level).astype(np.float64)
    begin = logistic(features, alone, sentences.weights, strength)
    transposed = csr_array(features.T) if issparse(features) else features.T
    starts = np.flatnonzero(np.diff(sentences.reply, prepend=-1))
    of_reply = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(sentences.reply)))
    truth = (sentences.of_replies[starts] >= level).astype(np.float64)

    def loss(theta: Floats) -> tuple[float, Floats]:
        logit = features @ theta[:-1].astype(features.dtype) + theta[-1]
        most = np.maximum.reduceat(logit, starts)
        slope = weights * (expit(logit) - alone) + (logit == most[of_reply]) * (expit(most) - truth)[of_reply]
        fit = weights @ (np.logaddexp(0, logit) - alone * logit) + np.sum(np.logaddexp(0, most) - truth * most)
        back = transposed @ slope.astype(features.dtype)
        gradient = np.append(strength * back + theta[:-1], strength * slope.sum())
        return float(strength * fit + theta[:-1] @ theta[:-1] / 2), gradient

    return np.asarray(minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "ftol": ENOUGH}).x)


def logistic(features: Features, truth: Floats | NDArray[np.bool_], weights: Floats, strength: float) -> Floats:
    """(F + 1,) weights and bias that minimise ``strength`` times the weighted log loss plus half their square."""
    truth, transposed = truth.astype(np.float64), csr_array(features.T) if issparse(features) else features.T

    def loss(theta: Floats) -> tuple[float, Floats]:
        logit = features @ theta[:-1].astype(features.dtype) + theta[-1]
        slope = weights * (expit(logit) - truth)
        fit = strength * (weights @ (np.logaddexp(0, logit) - truth * logit))
        back = transposed @ slope.astype(features.dtype)
        gradient = np.append(strength * back + theta[:-1], strength * slope.sum())
        return float(fit + theta[:-1] @ theta[:-1] / 2), gradient

    start = np.zeros(features.shape[1] + 1)
    start[-1] = np.log((truth @ weights + 1) / ((1 - truth) @ weights + 1))
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "ftol": ENOUGH}).x)


def curves_of(logits: Floats, truth: Ints) -> Floats:
    """(columns / 2 + 1, 2): what each pair of ``logits``' columns (R, columns), level 1 and level 2, counts for."""
    each = np.ones(len(truth))
    parts = [logistic(logits[:, k::2], truth >= level, each, FREE) for k, level in enumerate(LEVELS)]
    return np.stack(parts, axis=1)


def expected(logits: Floats, curves: Floats) -> Floats:
    """(R,): the expected level, the sum of the chances of level 1 and 2."""
    chance = [expit(logits[:, k::2] @ curves[:-1, k] + curves[-1, k]) for k in range(len(LEVELS))]
    return np.asarray(chance[0] + np.minimum(*chance))


def fitted_scale(level: Floats, truth: Ints) -> Floats:
    """(1, 4): the expected levels that become 0, .5, 1.5 and 2; the cuts agree best with ``truth``."""
    low, high = best_cuts(level, truth)[0]
    return np.array([[QUIET * low, low, high, 2.0]])


@dataclass(frozen=True, slots=True)
class FittedHeads:
    """Both heads of a mechanism: ``theta`` (F + 1, 2), and ``by_sentence`` (S, 2), logits by heads that saw nothing of
    a sentence's fold; ``strength`` and ``own`` as in :func:`heads`."""

    theta: Floats
    by_sentence: Floats
    strength: float
    own: float


def best_heads(
    sentences: LabelledSentences,
    fold: Ints,
    settings: Iterable[tuple[float, float]],
    truth: Ints,
    beside: Floats | None = None,
) -> FittedHeads:
    """Fit heads with the settings that agree best with ``truth``, (R,), on held-out folds; the first of equals.

    ``fold``: (S,); ``settings``: strength and own, as in :func:`heads`; ``beside``: (R, 2) further logits of replies to
    join theirs with.
    """
    tried = []
    for strength, own in settings:
        by_sentence = logits_held_out(heads_by_fold(sentences, fold, strength, own), sentences.features, fold)
        logits = strongest_of(by_sentence, sentences.reply, len(truth))
        logits = logits if beside is None else np.concatenate([logits, beside], axis=1)
        kappa = best_cuts(expected(logits, curves_of(logits, truth)), truth)[1]
        tried.append((kappa, FittedHeads(np.zeros(0), by_sentence, strength, own)))
    chosen = max(tried, key=lambda entry: entry[0])[1]
    return replace(chosen, theta=heads(sentences, chosen.strength, chosen.own))


def nested_kappa(level: Floats, truth: Ints, fold: Ints, part: slice = slice(None)) -> float:
    """Kappa of levels cut where the *other* folds say, over the replies in ``part``."""
    levels = np.zeros(len(truth))
    for number in np.unique(fold):
        cuts, _ = best_cuts(level[fold != number], truth[fold != number])
        levels[fold == number] = (level[fold == number, None] > cuts).sum(axis=1)
    return quadratic_weighted_kappa(levels[part], truth[part])
