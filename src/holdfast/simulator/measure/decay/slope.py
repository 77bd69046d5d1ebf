"""The slope of adherence per turn within an episode; its mean over episodes is what a candidate loses."""

import numpy as np

from holdfast.simulator.measure.arrays import Floats, divide, present_mean

MIN_TURNS = 3


def episode_slopes(values: Floats, min_turns: int = MIN_TURNS) -> Floats:
    """Return the least-squares slope of each episode over its turns (episodes x turns -> episodes), per turn.

    nan for an episode with fewer than ``min_turns`` turns: two points fit any line.
    """
    there = ~np.isnan(values)
    turn = np.where(there, np.arange(values.shape[1], dtype=np.float64), np.nan)
    turn_offset = turn - present_mean(turn, axis=1)[:, None]
    offset = values - present_mean(values, axis=1)[:, None]
    covariance = np.nansum(turn_offset * offset, axis=1)
    variance = np.nansum(turn_offset**2, axis=1)
    enough = (there.sum(axis=1) >= min_turns) & (variance > 0)
    return divide(covariance, variance, enough)
