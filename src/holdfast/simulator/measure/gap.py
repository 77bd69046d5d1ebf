"""The empathy gap: what people wanted beforehand minus what they felt, on the perceived scale, 1-5."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.measure.bootstrap import Interval, Resamples, ratio_interval


def perceived(felt: Floats) -> Floats:
    """Perceived empathy of each episode: mean over its turns and dimensions (episodes x turns x 7 -> episodes)."""
    return present_mean(felt, axis=(1, 2))


def gap(desired: Floats, felt: Floats) -> Floats:
    """Desired - perceived of each episode, signed, -4 to 4; positive: less empathy was felt than was wanted."""
    return np.asarray(desired - perceived(felt), dtype=np.float64)


def gap_reduction(candidate: Floats, baseline: Floats, resamples: Resamples) -> Interval:
    """1 - mean \\|gap\\| of a candidate / mean \\|gap\\| of the baseline; 1 closes the gap, below 0 widens it.

    Both: signed gaps of the *same* users in the same order, resampled together; users that either
    has no value for are left out. nan where the baseline has no gap.
    """
    kept = ratio_interval(*_paired(np.abs(candidate), np.abs(baseline)), resamples)
    return replace(kept, mean=1 - kept.mean, lo=1 - kept.hi, hi=1 - kept.lo)


def score_factor(candidate: Floats, baseline: Floats, resamples: Resamples) -> Interval:
    """Mean adherence of a candidate / mean adherence of the baseline, the same users in the same order.

    The paper reports empathy scores up by a factor of 2.43, on a scale that is not known; taking adherence as the
    score is holdfast's assumption, so this factor must not be set beside theirs.
    """
    return ratio_interval(*_paired(candidate, baseline), resamples)


def _paired(candidate: Floats, baseline: Floats) -> tuple[Floats, Floats]:
    """Both, nan for users whom either has no value for."""
    missing = np.isnan(candidate) | np.isnan(baseline)
    return np.where(missing, np.nan, candidate), np.where(missing, np.nan, baseline)
