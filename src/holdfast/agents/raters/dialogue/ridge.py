"""Ridge regression by its kernel, and the penalty that does best on people who were left out.

With n passages and many more words, the n x n table of inner products holds all that ridge regression needs
(Saunders, Gammerman and Vovk 1998): a penalty costs one solve of n equations, whatever the number of features, and
every dimension shares it.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import solve

from holdfast.agents.raters.linear.features import Floats, Ints

PENALTIES: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


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
    """Per dimension the penalty of least squared error on left-out folds, the largest of equals, and those predictions,
    (n, K)."""
    largest_first = sorted(penalties, reverse=True)
    tried = np.stack([held_out(kernel, labels, fold, penalty) for penalty in largest_first])
    best = np.argmin(np.mean((tried - labels) ** 2, axis=1), axis=0)
    chosen = np.stack([tried[index, :, k] for k, index in enumerate(best)], axis=1)
    return tuple(largest_first[index] for index in best), chosen
