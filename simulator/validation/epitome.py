"""A rater beside experts, crowd and language models on EPITOME's judged replies: quadratic-weighted kappa each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.protocols import Expressed
from personas.schema import MECHANISMS, Mechanism
from simulator.measure.agreement import (
    mean_absolute_difference,
    quadratic_weighted_kappa,
    spearman,
    with_interval,
)
from simulator.measure.arrays import Floats
from simulator.validation.judged_epitome import EXPERTS, OTHERS, JudgedReplies

NOTES = {
    "truth": "median of the three experts",
    "experts": "each expert against the mean of the other two, so that nobody is compared with themselves",
    "length": "replies ranked by their number of words and cut so that each level is as frequent as in the truth",
    "interval": "95 %, percentile bootstrap over replies",
}


def agreement_table(
    judged: JudgedReplies, scores: Sequence[Expressed], rater: str, *, draws: int = 2000, seed: int = 0
) -> dict[str, dict[str, dict[str, float]]]:
    """Mechanism -> annotator -> ``{qwk, lo, hi, n}``, with the rater under its id and ``length`` as a baseline.

    ``scores``: one per judged reply, continuous 0-2; rounded to levels. Undefined numbers are nan.
    """
    table = {}
    for m, mechanism in enumerate(MECHANISMS):
        by, truth = judged.levels[mechanism], expert_median(judged, mechanism)
        against: dict[str, tuple[Floats, Floats]] = {}
        for expert in EXPERTS:
            against[expert] = (by[expert], np.mean([by[other] for other in EXPERTS if other != expert], axis=0))
        against |= {other: (by[other], truth) for other in OTHERS}
        against[rater] = (to_levels(np.array([score.as_array()[m] for score in scores])), truth)
        against["length"] = (_by_length(judged, truth), truth)
        table[str(mechanism)] = {who: _kappa(a, b, draws, seed) for who, (a, b) in against.items()}
    return table


def continuous_table(judged: JudgedReplies, scores: Sequence[Expressed]) -> dict[str, dict[str, float]]:
    """Mechanism -> the rater's unrounded scores against the truth: ``spearman`` and ``mae`` (levels)."""
    table = {}
    for m, mechanism in enumerate(MECHANISMS):
        truth, score = expert_median(judged, mechanism), [one.as_array()[m] for one in scores]
        table[str(mechanism)] = {"spearman": spearman(score, truth), "mae": mean_absolute_difference(score, truth)}
    return table


def expert_median(judged: JudgedReplies, mechanism: Mechanism) -> Floats:
    """(n,) the median of the three experts."""
    by = judged.levels[mechanism]
    return np.asarray(np.median([by[expert] for expert in EXPERTS], axis=0))


def to_levels(score: Floats) -> Floats:
    """The nearest of 0, 1, 2; halves upwards."""
    return np.clip(np.floor(score + 0.5), 0, 2)


def _by_length(judged: JudgedReplies, truth: Floats) -> Floats:
    words = [len(exchange.reply.split()) for exchange in judged.exchanges]
    level = np.empty(len(words))
    level[np.argsort(words, kind="stable")] = np.sort(truth)
    return level


def _kappa(a: Floats, b: Floats, draws: int, seed: int) -> dict[str, Any]:
    found = with_interval(quadratic_weighted_kappa, a, b, None, np.random.default_rng(seed), draws=draws)
    return {"qwk": found.value, "lo": found.lo, "hi": found.hi, "n": found.n}
