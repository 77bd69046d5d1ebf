"""Rival explanations of a judge's scores: how long a reply is, and in which order the judge was asked.

Pure functions. A judge that favours long replies ("verbosity bias") or what is listed first ("position bias") is
common (Zheng et al. 2023, arXiv 2306.05685; Wang et al. 2024, arXiv 2305.17926): neither is corrected in silence.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from holdfast.agents.raters.agreement import pairs, spearman
from holdfast.agents.raters.protocol import Rating
from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.measure.bootstrap import ALIKE, FEWEST, Interval, all_alike


@dataclass(frozen=True, slots=True)
class LengthControl:
    """Scores against the length of what was rated. ``rho``: Spearman; ``per_doubling``: least-squares slope on
    log2 length, in the scale's unit; ``r2``: share of the variance that it explains; all nan where undefined."""

    rho: float
    per_doubling: float
    r2: float
    n: int


@dataclass(frozen=True, slots=True)
class OrderControl:
    """Scores of the same passages asked in both orders. ``shift``: mean of forward minus reversed with its 95 % limits
    (normal, paired); ``mean_absolute``: mean of the absolute differences; nan without passages."""

    shift: Interval
    mean_absolute: float


def length_control(scores: ArrayLike, words: ArrayLike) -> LengthControl:
    """How far ``scores`` (n,) go with the number of ``words`` (n,) of the rated text; nan scores are left out."""
    y, length = pairs(scores, words)
    x = np.log2(np.maximum(length, 1))
    if len(y) < 2 or x.std() == 0 or y.std() == 0:
        return LengthControl(float("nan"), float("nan"), float("nan"), len(y))
    slope = float(np.cov(x, y, bias=True)[0, 1] / x.var())
    return LengthControl(spearman(y, length), slope, float(np.corrcoef(x, y)[0, 1] ** 2), len(y))


def without_length(scores: ArrayLike, words: ArrayLike) -> Floats:
    """(n,) scores minus what their length predicts, plus their mean: what is left when all replies are equally long.

    nan stays nan; where all lengths are equal, or fewer than three scores are there, the scores themselves.
    """
    y, x = np.asarray(scores, dtype=np.float64), np.log2(np.maximum(np.asarray(words, dtype=np.float64), 1))
    known = ~np.isnan(y)
    if known.sum() < 3 or x[known].std() == 0:
        return y.copy()
    slope = np.cov(x[known], y[known], bias=True)[0, 1] / x[known].var()
    return np.asarray(y - slope * (x - x[known].mean()), dtype=np.float64)


def order_control(ratings: Iterable[Rating], dimension: str) -> OrderControl:
    """Forward against reversed order of the dimensions, over passages that have a usable sample of each."""
    differences = []
    for rating in ratings:
        means = [
            float(np.mean(values))
            for order in ("forward", "reversed")
            if (values := [s.scores[dimension] for s in rating.samples if s.order == order and dimension in s.scores])
        ]
        if len(means) == 2:
            differences.append(means[0] - means[1])
    gaps = np.array(differences)
    n, lo, hi, reason = len(gaps), math.nan, math.nan, ""
    shift, off = (float(present_mean(each)) for each in (gaps, np.abs(gaps)))
    if n and np.ptp(gaps) <= ALIKE:
        reason = all_alike(n, "replies")
    elif n >= FEWEST:
        half = float(1.96 * gaps.std(ddof=1) / np.sqrt(n))
        lo, hi = shift - half, shift + half
    return OrderControl(Interval(shift, lo, hi, n, reason), off)


def word_counts(texts: Sequence[str]) -> Floats:
    """How many words each text has, parted by blanks."""
    return np.array([len(text.split()) for text in texts], dtype=np.float64)


def columns(scores: Sequence[Mapping[str, float]], dimensions: Sequence[str]) -> dict[str, Floats]:
    """Scores by dimension, (n,) each; nan where a passage has none."""
    return {name: np.array([each.get(name, np.nan) for each in scores], dtype=np.float64) for name in dimensions}
