"""Retention: adherence in the last quarter of the turns over adherence in the first; and in the first two turns."""

import numpy as np

from holdfast.simulator.measure.arrays import Bools, Floats, Ints, present_mean
from holdfast.simulator.measure.bootstrap import Interval, Resamples, ratio_interval

QUARTERS = 4


def quarters(planned: Ints, turns: int) -> tuple[Bools, Bools]:
    """Return two masks, episodes x ``turns``: the first and the last quarter of each episode.

    A quarter of a conversation planned for L turns is q = max(1, L // 4) turns: turns 1 to q, and L - q + 1 to L. Of
    24 turns these are 1-6 and 19-24; of 10 turns 1-2 and 9-10. The *planned* length counts, not where a conversation
    happened to end. A single turn has no quarters: both masks are False.
    """
    number = np.arange(1, turns + 1)
    length = planned[:, None]
    quarter = np.maximum(1, length // 4)
    first = (number <= quarter) & (length >= 2)
    last = (number > length - quarter) & (number <= length) & (length >= 2)
    return first, last


def quarter_means(values: Floats, planned: Ints) -> tuple[Floats, Floats]:
    """Return the mean of each episode's first and last quarter (episodes each); nan where it has no turn there."""
    first, last = quarters(planned, values.shape[1])
    return present_mean(values, axis=1, where=first), present_mean(values, axis=1, where=last)


def quarter_of(turn: Ints | int, planned: Ints | int) -> Ints:
    """Return 1 to 4, of the shape that both have together: in which quarter of a conversation planned for so many turns
    each turn lies. These four hold every turn; the two of :func:`quarters` are equally long, and leave some out."""
    return np.minimum(QUARTERS, 1 + (np.asarray(turn) - 1) * QUARTERS // planned)


def first_turns(values: Floats, turns: int = 2) -> Floats:
    """Mean of each episode's first ``turns`` turns (episodes x turns -> episodes); nan where there is none."""
    return present_mean(values[:, :turns], axis=1)


def retention(first: Floats, last: Floats, resamples: Resamples) -> Interval:
    """Return the mean over episodes of the last quarter / that of the first, bootstrapped by cluster.

    ``first``, ``last``: of :func:`quarter_means`. An episode that never reached the last quarter counts in the
    denominator only. Where users leave *because* a candidate fails them, those who stay make the last quarter look
    better than it was; compare ``n`` (episodes that reached the last quarter) with the number of episodes. nan where
    no episode reached the last quarter, or the first quarter's mean is 0.
    """
    return ratio_interval(last, first, resamples)
