"""Ridge regression by its kernel, and the penalty that does best on people who were left out.

With n passages and many more words, the n x n table of inner products holds all that ridge regression needs
(Saunders, Gammerman and Vovk 1998): a penalty costs one solve of n equations, whatever the number of features.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.raters.features import Floats, Ints

PENALTIES: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


def dual(kernel: Floats, labels: Floats, penalty: float) -> tuple[Floats, float]:
    """(n,) alpha and the bias of ridge regression: prediction = inner products with the n passages @ alpha + bias.

    ``kernel``: (n, n) inner products of the passages; ``labels``: (n,). The bias is the labels' mean, unpenalised, as
    if every feature had mean 0: kernels here are of centred features.
    """
    bias = float(labels.mean())
    alpha = np.linalg.solve(kernel + penalty * np.eye(len(kernel)), labels - bias)
    return np.asarray(alpha, dtype=np.float64), bias


def held_out(kernel: Floats, labels: Floats, fold: Ints, penalty: float) -> Floats:
    """(n,) predictions of each passage by a regression that saw no passage of its fold. nan labels are left out."""
    found = np.full(len(labels), np.nan)
    for one in np.unique(fold):
        rest, out = (fold != one) & ~np.isnan(labels), fold == one
        alpha, bias = dual(kernel[np.ix_(rest, rest)], labels[rest], penalty)
        found[out] = kernel[np.ix_(out, rest)] @ alpha + bias
    return found


def best_penalty(
    kernel: Floats, labels: Floats, fold: Ints, penalties: Sequence[float] = PENALTIES
) -> tuple[float, Floats]:
    """The penalty of least squared error on left-out folds, and those predictions (n,); the largest of equals."""
    there = ~np.isnan(labels)
    tried = [(penalty, held_out(kernel, labels, fold, penalty)) for penalty in penalties]
    return min(reversed(tried), key=lambda one: float(np.mean((one[1] - labels)[there] ** 2)))
