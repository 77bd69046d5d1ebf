"""The empathy gap: desired minus perceived empathy, on the perceived scale, 1-5."""

from dataclasses import replace

import numpy as np

from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.measure.bootstrap import Interval, Resamples, ratio_interval

ITSELF = "the baseline itself"  # why a comparison with the baseline has no limits


def perceived(felt: Floats) -> Floats:
    """Return the mean over each episode's turns, and over dimensions where there are any (episodes x turns [x 7])."""
    return present_mean(felt, axis=tuple(range(1, felt.ndim)))


def gap(desired: Floats, felt: Floats) -> Floats:
    """Return desired - perceived of each episode, signed, -4 to 4; positive: less empathy was felt than desired."""
    return np.asarray(desired - perceived(felt), dtype=np.float64)


def gap_reduction(candidate: Floats, baseline: Floats, resamples: Resamples) -> Interval:
    """Return 1 - mean \\|gap\\| of a candidate / mean \\|gap\\| of the baseline; 1 closes the gap, below 0 widens it.

    Both: signed gaps of the *same* users in the same order, resampled together; users without a value on either side
    are left out. nan where the baseline has no gap.
    """
    kept = ratio_interval(*_paired(np.abs(candidate), np.abs(baseline)), resamples)
    return replace(kept, mean=1 - kept.mean, lo=1 - kept.hi, hi=1 - kept.lo)


def score_factor(candidate: Floats, baseline: Floats, resamples: Resamples) -> Interval:
    """Return the candidate's mean adherence / the baseline's, for the same users in the same order.

    The paper reports empathy scores up by a factor of 2.43, on a scale that is not known; taking adherence as the
    score is holdfast's assumption, so this factor must not be compared with theirs.
    """
    return ratio_interval(*_paired(candidate, baseline), resamples)


def _paired(candidate: Floats, baseline: Floats) -> tuple[Floats, Floats]:
    """Return both, with nan for users without a value on either side."""
    missing = np.isnan(candidate) | np.isnan(baseline)
    return np.where(missing, np.nan, candidate), np.where(missing, np.nan, baseline)
