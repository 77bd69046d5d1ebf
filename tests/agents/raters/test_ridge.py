"""Ridge regression by its kernel: parity with scikit-learn, and what is left out stays out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from agents.raters.ridge import PENALTIES, best_penalty, dual, held_out

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(60, 8))
FEATURES -= FEATURES.mean(axis=0)
LABELS = FEATURES @ RNG.normal(size=8) + 3 + RNG.normal(size=60)
KERNEL = FEATURES @ FEATURES.T


@pytest.mark.parametrize("penalty", [0.1, 1.0, 50.0])
def test_parity_with_scikit_learn(penalty: float) -> None:
    alpha, bias = dual(KERNEL, LABELS, penalty)
    assert KERNEL @ alpha + bias == pytest.approx(Ridge(alpha=penalty).fit(FEATURES, LABELS).predict(FEATURES))


def test_a_fold_is_predicted_by_the_others_and_missing_labels_teach_nothing() -> None:
    fold = np.arange(60) % 3
    labels = LABELS.copy()
    labels[fold == 0] += 100  # nonsense in a fold moves the others' predictions, never its own
    assert held_out(KERNEL, labels, fold, 1.0)[fold == 0] == pytest.approx(
        held_out(KERNEL, LABELS, fold, 1.0)[fold == 0]
    )
    labels[fold == 0] = np.nan
    found = held_out(KERNEL, labels, fold, 1.0)
    rest = np.flatnonzero(fold == 1)
    alpha, bias = dual(KERNEL[np.ix_(rest, rest)], LABELS[rest], 1.0)
    assert found[fold == 2] == pytest.approx(KERNEL[np.ix_(fold == 2, rest)] @ alpha + bias)


def test_noise_asks_for_the_largest_penalty_and_signal_for_a_small_one() -> None:
    fold = np.arange(60) % 5
    noise, _ = best_penalty(KERNEL, np.random.default_rng(1).normal(size=60), fold)
    signal, predicted = best_penalty(KERNEL, FEATURES @ np.ones(8), fold)
    assert noise == max(PENALTIES)
    assert signal == min(PENALTIES)
    assert np.corrcoef(predicted, FEATURES @ np.ones(8))[0, 1] > 0.99
