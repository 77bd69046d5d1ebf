"""A mean over conversations with limits by Student's t, clustered by persona: what one-sided tests are read from.

Conversations of a persona are alike, so the unit is the persona. With r the sum of a persona's deviations from the
mean, n conversations and c personas::

    SE = sqrt(c / (c - 1) * sum of r^2) / n        limits = mean -+ t(c - 1) SE

(the sandwich of Liang & Zeger, Biometrika 73, 1986, with their c / (c - 1)). Where every persona has as many
conversations it is the t test of persona means, exactly.

Where every persona has the same value that error is 0 and limits would be far too certain: there are none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.simulator.measure.arrays import Floats, Ints, divide
from holdfast.simulator.measure.bootstrap import ALIKE, FEWEST, all_alike


@dataclass(frozen=True, slots=True)
class ClusteredMean:
    """``mean`` of ``n`` conversations of so many ``people``, and its standard ``error``; nan where undefined."""

    mean: float
    error: float
    n: int
    people: int

    @classmethod
    def of(cls, values: Floats, codes: Ints) -> ClusteredMean:
        """Average ``values`` (conversations, nan left out); ``codes``: the persona of each, from 0."""
        there = ~np.isnan(values)
        size = int(codes.max()) + 1 if len(codes) else 0
        totals = np.bincount(codes[there], values[there], size).astype(np.float64)
        counts = np.bincount(codes[there], minlength=size).astype(np.float64)
        mean = divide([totals.sum()], [counts.sum()])
        error = cluster_errors(totals[:, None], counts[:, None], mean)
        return cls(float(mean[0]), float(error[0]), int(counts.sum()), int((counts > 0).sum()))

    @property
    def reason(self) -> str:
        """Why there are no limits though people are enough: all are alike; else empty."""
        return all_alike(self.people) if self.error <= ALIKE else ""

    def limits(self, alpha: float = 0.05) -> tuple[float, float]:
        """Return the lower and the upper limit, each one-sided at ``alpha``; nan below five people, or all alike."""
        from scipy.special import stdtrit  # here, so that importing this module stays instant

        if self.people < FEWEST or self.reason:
            return float("nan"), float("nan")
        half = float(stdtrit(self.people - 1, 1 - alpha)) * self.error
        return self.mean - half, self.mean + half


def cluster_errors(totals: Floats, counts: Floats, means: Floats) -> Floats:
    """Return the standard error of each column's mean; 0 where no persona differs, or where there is only one.

    ``totals``, ``counts``: personas x columns, sum and number of a persona's values; ``means``: columns.
    """
    residual = np.where(counts > 0, totals - counts * np.nan_to_num(means), 0.0)
    clusters = np.maximum((counts > 0).sum(axis=0), 2)
    spread = (residual**2).sum(axis=0) * clusters / (clusters - 1)
    return np.nan_to_num(divide(np.sqrt(spread), counts.sum(axis=0)))
