"""Power of a paired comparison: how many personas, and episodes of each, a difference needs.

A paired comparison averages each persona's differences and tests those means against 0 with Student's t. With m
episodes of a persona their variance is between + within / m (one-way random effects; Searle, Casella & McCulloch,
Variance Components, 1992): more episodes reduce ``within`` only, so beyond some point only more personas help.
Power is that of the noncentral t, from statsmodels.
"""

import math
from bisect import bisect_left

import numpy as np
from pydantic import Field

from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.estimates import Count, Number, ResultsPart

ALPHA, POWER = 0.05, 0.8
MOST = 1_000_000  # personas; a difference that needs more is called unreachable
UNDEFINED = math.nan


class VarianceResults(ResultsPart):
    """Of the differences, one per conversation: what ``holdfast power`` plans with."""

    mean: Number
    between: Number = Field(description="Variance between personas; null where no persona has two conversations.")
    within: Number = Field(description="Variance within a persona.")
    of_means: Number = Field(description="Variance of persona means as measured.")
    personas: Count
    per_persona: Number = Field(description="Conversations per persona (harmonic mean).")
    truncated: bool = Field(description="Whether `between` came out below 0 and is given as 0.")

    def at(self, per_persona: float) -> float:
        """Return the variance of a persona's mean over ``per_persona`` episodes; nan where unknown."""
        if self.between is not None and self.within is not None:
            return self.between + self.within / per_persona
        return UNDEFINED if self.of_means is None or per_persona != self.per_persona else self.of_means


def variance(values: Floats, codes: Ints) -> VarianceResults:
    """Estimate the components. ``values``: episodes, nan left out; ``codes``: the persona of each.

    ANOVA estimators for unequal groups: within = pooled variance about persona means; between = (mean square between
    - within) / n0 with n0 = (N - sum n_i^2 / N) / (c - 1), no lower than 0. ``per_persona`` is the harmonic mean of
    the n_i. All undefined below two personas; ``between`` and ``within`` where no persona has two episodes.
    """
    there = ~np.isnan(values)
    values, codes = values[there], np.unique(codes[there], return_inverse=True)[1]
    counts = np.bincount(codes).astype(np.float64) if len(codes) else np.zeros(0)
    personas, total = len(counts), float(counts.sum())
    mean = float(values.mean()) if total else UNDEFINED
    if personas < 2:
        return VarianceResults.undefined(mean=mean, personas=personas, truncated=False)
    means = np.bincount(codes, weights=values) / counts
    known = {"mean": mean, "of_means": float(means.var(ddof=1)), "per_persona": float(personas / (1 / counts).sum())}
    if total == personas:
        return VarianceResults.undefined(**known, personas=personas, truncated=False)
    within = float(((values - means[codes]) ** 2).sum() / (total - personas))
    square = float((counts * (means - mean) ** 2).sum() / (personas - 1))
    size = (total - float((counts**2).sum()) / total) / (personas - 1)
    between = (square - within) / size
    parts = {"between": max(between, 0.0), "within": within}
    return VarianceResults(**known, **parts, personas=personas, truncated=between < 0)


def power(difference: float, of_means: float, personas: int, alpha: float = ALPHA) -> float:
    """Return the power of a two-sided t test of persona means for ``difference``; ``of_means``: their variance.

    nan below two personas and for an unknown variance; without any variance 1 (``alpha`` where nothing differs).
    """
    if personas < 2 or math.isnan(of_means) or math.isnan(difference):
        return UNDEFINED
    if of_means <= 0:
        return 1.0 if difference else alpha
    from statsmodels.stats.power import TTestPower  # here: it brings pandas

    value = TTestPower().power(abs(difference) / math.sqrt(of_means), personas, alpha)
    return 1.0 if math.isnan(value) else float(value)  # scipy's noncentral t gives nan far out


def personas_needed(difference: float, of_means: float, target: float = POWER, alpha: float = ALPHA) -> float:
    """Return the least number of personas with :func:`power` of at least ``target``; at least 2.

    nan for an unknown variance; inf where there is no difference, or more than a million would not do.
    """
    if math.isnan(of_means) or math.isnan(difference):
        return UNDEFINED
    if difference == 0 or power(difference, of_means, MOST, alpha) < target:
        return math.inf
    counts = range(2, MOST)  # power grows with their number
    return 2.0 + bisect_left(counts, target, key=lambda personas: power(difference, of_means, personas, alpha))


def detectable(of_means: float, personas: int, target: float = POWER, alpha: float = ALPHA) -> float:
    """Return the least difference that ``personas`` personas detect with power ``target``; nan where unknown."""
    if personas < 2 or math.isnan(of_means):
        return UNDEFINED
    if of_means <= 0:
        return 0.0
    from statsmodels.stats.power import TTestPower

    return float(TTestPower().solve_power(None, personas, alpha, target)) * math.sqrt(of_means)
