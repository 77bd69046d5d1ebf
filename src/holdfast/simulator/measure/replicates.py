"""The mean over trainings of one arm, with what it would be for another training: t with trainings - 1 degrees.

Adapters that differ only in the seed of their training differ; one training says nothing of how much. Here the people
are fixed and the training varies: mean -+ t(r - 1) s / sqrt(r) for r trainings and the spread s of their figures.
"""

from collections.abc import Sequence

import numpy as np

from holdfast.simulator.measure.bootstrap import ALIKE
from holdfast.simulator.measure.estimates import Estimate


def mean_of_trainings(figures: Sequence[float]) -> Estimate:
    """Return the mean of one figure per training with its 95 % limits; none below two trainings, or if all agree."""
    from scipy.special import stdtrit  # here, so that importing this module stays instant

    values = np.asarray(figures, dtype=np.float64)
    if not len(values):
        return Estimate(mean=None, lo=None, hi=None)
    mean, count = float(values.mean()), len(values)
    if count < 2:
        return Estimate(mean=mean, lo=None, hi=None)
    if np.ptp(values) <= ALIKE:
        return Estimate(mean=mean, lo=None, hi=None, reason=f"all {count} trainings alike")
    half = float(stdtrit(count - 1, 0.975)) * float(values.std(ddof=1)) / count**0.5
    return Estimate(mean=mean, lo=mean - half, hi=mean + half)
