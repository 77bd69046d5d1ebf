"""Ridge regression by its kernel: parity with scikit-learn, and what is left out stays out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from holdfast.agents.raters.dialogue.fit import PENALTIES, best_penalties, dual, held_out

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(60, 8))
FEATURES -= FEATURES.mean(axis=0)
LABELS = FEATURES @ RNG.normal(size=(8, 2)) + (3, -1) + RNG.normal(size=(60, 2))
KERNEL = FEATURES @ FEATURES.T


@pytest.mark.parametrize("penalty", [0.1, 1.0, 50.0])
def test_parity_with_scikit_learn(penalty: float) -> None:
    alpha, bias = dual(KERNEL, LABELS, penalty)
    assert KERNEL @ alpha + bias == pytest.approx(Ridge(alpha=penalty).fit(FEATURES, LABELS).predict(FEATURES))


def test_a_fold_is_predicted_by_the_others() -> None:
    fold = np.arange(60) % 3
    labels = LABELS.copy()
    labels[fold == 0] += 100  # nonsense in a fold moves the others' predictions, never its own
    before, after = held_out(KERNEL, LABELS, fold, 1.0), held_out(KERNEL, labels, fold, 1.0)
    assert after[fold == 0] == pytest.approx(before[fold == 0])
    assert np.abs(after[fold == 1] - before[fold == 1]).min() > 1
    rest = fold != 2
    model = Ridge(alpha=1.0, fit_intercept=False).fit(FEATURES[rest], LABELS[rest] - LABELS[rest].mean(axis=0))
    assert before[~rest] == pytest.approx(model.predict(FEATURES[~rest]) + LABELS[rest].mean(axis=0))


def test_noise_asks_for_the_largest_penalty_and_signal_for_the_smallest() -> None:
    fold = np.arange(60) % 5
    signal = FEATURES @ np.ones(8)
    labels = np.stack([np.random.default_rng(1).normal(size=60), signal], axis=1)
    penalties, predicted = best_penalties(KERNEL, labels, fold)
    assert penalties == (max(PENALTIES), min(PENALTIES))
    assert np.corrcoef(predicted[:, 1], signal)[0, 1] > 0.99
    assert predicted[:, 1] == pytest.approx(held_out(KERNEL, labels, fold, min(PENALTIES))[:, 1])
