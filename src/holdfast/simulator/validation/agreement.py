"""A rater beside experts, crowd and language models on a judged set: quadratic-weighted kappa each, and the ceiling."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from holdfast.agents.raters.agreement import quadratic_weighted_kappa, spearman
from holdfast.agents.raters.protocol import Passage
from holdfast.simulator.measure.agreement import mean_absolute_difference, with_interval
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.bootstrap import NOT_BOUNDED
from holdfast.simulator.measure.calibration import calibration
from holdfast.simulator.validation.judged import EXPERTS, OTHERS, Judged

NOTES = {
    "truth": "median of the three experts",
    "experts": "each expert against the mean of the other two, so that nobody is compared with themselves",
    "length": "texts ranked by the number of words in their replies and cut so that each level is as frequent as in "
    "the truth; the rank's sign is the one that agrees better, which flatters it",
    "rounding": "scores and the crowd's means are rounded to the nearest level, halves upwards",
    "interval": f"95 %, percentile bootstrap over people (posts, conversations); {NOT_BOUNDED}",
}
Table = dict[str, dict[str, dict[str, Any]]]


def agreement_table(judged: Judged, scores: Floats, rater: str, *, draws: int = 1000, seed: int = 0) -> Table:
    """Dimension -> annotator -> ``{qwk, lo, hi, n, reason}``, with the rater under its id and ``length`` as a baseline.

    ``scores``: (n, K), continuous, in the order of the set's dimensions, nan where missing. Undefined numbers are nan.
    """
    table: Table = {}
    for k, (dimension, by) in enumerate(judged.levels.items()):
        truth = judged.labelled.labels[:, k]
        against: dict[str, tuple[Floats, Floats]] = {expert: (by[expert], _rest(by, expert)) for expert in EXPERTS}
        against |= {other: (rounded(by[other], judged), truth) for other in OTHERS}
        against[rater] = (rounded(scores[:, k], judged), truth)
        against["length"] = (_by_length(judged, truth), truth)
        table[dimension] = {who: _kappa(judged, a, b, draws, seed) for who, (a, b) in against.items()}
    return table


def beside_table(judged: Judged, scores: Floats) -> dict[str, dict[str, object]]:
    """Dimension -> the unrounded scores against the truth: ``spearman``, ``mae`` (levels), ``calibration``, and
    ``length_spearman``, how far the number of words alone goes."""
    words = reply_words(judged.labelled.passages)
    table: dict[str, dict[str, object]] = {}
    for k, dimension in enumerate(judged.levels):
        truth, score = judged.labelled.labels[:, k], scores[:, k]
        table[dimension] = {
            "spearman": spearman(score, truth),
            "mae": mean_absolute_difference(score, truth),
            "length_spearman": spearman(words, truth),
            "calibration": asdict(calibration(score, truth)),
        }
    return table


def ceilings(judged: Judged) -> dict[str, dict[str, float]]:
    """Dimension -> how well people agree: ``expert_expert``, mean kappa of the pairs of experts, and ``expert_rest``,
    mean kappa of an expert with the mean of the others. A rater held against the median of three may come out above
    the first: a median is less noisy than one expert."""
    return {
        dimension: {
            "expert_expert": _mean([quadratic_weighted_kappa(by[a], by[b]) for a, b in combinations(EXPERTS, 2)]),
            "expert_rest": _mean([quadratic_weighted_kappa(by[expert], _rest(by, expert)) for expert in EXPERTS]),
        }
        for dimension, by in judged.levels.items()
    }


def mean_kappa(table: Table) -> dict[str, float]:
    """Annotator -> mean over dimensions; nan where one is undefined."""
    annotators = next(iter(table.values()))
    return {who: _mean([by[who]["qwk"] for by in table.values()]) for who in annotators}


def rounded(scores: Floats, judged: Judged) -> Floats:
    """The nearest level of the set's scale; halves upwards, nan stays nan."""
    scale = judged.labelled.scale
    return np.asarray(np.clip(np.floor(scores + 0.5), scale.low, scale.high))


def reply_words(passages: Sequence[Passage]) -> Floats:
    """(n,) words of the replies that are judged: the last one's, or with ``whole`` all of them."""
    counts = []
    for passage in passages:
        replies = [message.content for message in passage.messages if message.role == "assistant"]
        counts.append(len(" ".join(replies if passage.whole else replies[-1:]).split()))
    return np.array(counts, dtype=np.float64)


def _by_length(judged: Judged, truth: Floats) -> Floats:
    words = reply_words(judged.labelled.passages)
    candidates = []
    for sign in (1, -1):
        level = np.empty(len(words))
        level[np.argsort(sign * words, kind="stable")] = np.sort(truth)
        candidates.append(level)
    return max(candidates, key=lambda level: np.nan_to_num(quadratic_weighted_kappa(level, truth), nan=-1.0))


def _rest(by: Mapping[str, Floats], expert: str) -> Floats:
    """The mean level that the other experts gave."""
    return np.asarray(np.mean([by[other] for other in EXPERTS if other != expert], axis=0))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _kappa(judged: Judged, a: Floats, b: Floats, draws: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    kappa = with_interval(quadratic_weighted_kappa, a, b, judged.labelled.people, rng, draws=draws)
    return {"qwk": kappa.mean, "lo": kappa.lo, "hi": kappa.hi, "n": kappa.n, "reason": kappa.reason}
