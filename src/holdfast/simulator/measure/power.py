"""Power of a paired comparison: how many personas, and episodes of each, a difference needs.

A paired comparison averages each persona's differences and tests those means against 0 with Student's t. With m
episodes of a persona their variance is between + within / m (one-way random effects; Searle, Casella & McCulloch,
Variance Components, 1992): more episodes reduce ``within`` only, so beyond some point only more personas help.
Power is that of the noncentral t, from statsmodels.
"""

import math
from dataclasses import dataclass

import numpy as np

from holdfast.simulator.measure.arrays import Floats, Ints

ALPHA, POWER = 0.05, 0.8
MOST = 1_000_000  # personas; a difference that needs more is called unreachable
UNDEFINED = math.nan


@dataclass(frozen=True, slots=True)
class Variance:
    """Variance components of one value per episode, in squared units: ``between`` and ``within`` personas.

    Both are nan where no persona has two episodes; then only ``of_means`` is known: the variance of persona means at
    ``per_persona`` episodes each. ``truncated``: the estimate of ``between`` was below 0 and is given as 0.
    """

    mean: float
    between: float
    within: float
    of_means: float
    personas: int
    per_persona: float
    truncated: bool = False

    def at(self, per_persona: float) -> float:
        """Return the variance of a persona's mean over ``per_persona`` episodes; nan where unknown."""
        if math.isnan(self.within):
            return self.of_means if per_persona == self.per_persona else UNDEFINED
        return self.between + self.within / per_persona


def variance(values: Floats, codes: Ints) -> Variance:
    """Estimate the components. ``values``: episodes, nan left out; ``codes``: the persona of each.

    ANOVA estimators for unequal groups: within = pooled variance about persona means; between = (mean square between
    - within) / n0 with n0 = (N - sum n_i^2 / N) / (c - 1), no lower than 0. ``per_persona`` is the harmonic mean of
    the n_i. All nan below two personas.
    """
    there = ~np.isnan(values)
    values, codes = values[there], np.unique(codes[there], return_inverse=True)[1]
    counts = np.bincount(codes).astype(np.float64) if len(codes) else np.zeros(0)
    personas, total = len(counts), float(counts.sum())
    mean = float(values.mean()) if total else UNDEFINED
    if personas < 2:
        return Variance(mean, UNDEFINED, UNDEFINED, UNDEFINED, personas, UNDEFINED)
    means = np.bincount(codes, weights=values) / counts
    of_means, per_persona = float(means.var(ddof=1)), float(personas / (1 / counts).sum())
    if total == personas:
        return Variance(mean, UNDEFINED, UNDEFINED, of_means, personas, per_persona)
    within = float(((values - means[codes]) ** 2).sum() / (total - personas))
    square = float((counts * (means - mean) ** 2).sum() / (personas - 1))
    size = (total - float((counts**2).sum()) / total) / (personas - 1)
    between = (square - within) / size
    return Variance(mean, max(between, 0.0), within, of_means, personas, per_persona, between < 0)


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
    low, high = 1, 2  # power(low) falls short, power(high) is enough
    while power(difference, of_means, high, alpha) < target:
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        enough = power(difference, of_means, middle, alpha) >= target
        low, high = (low, middle) if enough else (middle, high)
    return float(high)


def detectable(of_means: float, personas: int, target: float = POWER, alpha: float = ALPHA) -> float:
    """Return the least difference that ``personas`` personas detect with power ``target``; nan where unknown."""
    if personas < 2 or math.isnan(of_means):
        return UNDEFINED
    if of_means <= 0:
        return 0.0
    from statsmodels.stats.power import TTestPower

    return float(TTestPower().solve_power(None, personas, alpha, target)) * math.sqrt(of_means)
