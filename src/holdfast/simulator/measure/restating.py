"""How far felt empathy only restates expressed empathy: the share of its variance that the expressed levels explain.

Near 1 the two are one measurement with two names, and their agreement says nothing. It is a warning and no aim: a
feeler that was tuned to have a low share would be worse, not more independent.
"""

from typing import NamedTuple

import numpy as np

from holdfast.simulator.measure.arrays import Floats, Ints


class ExplainedShare(NamedTuple):
    """R² of a least-squares fit with an intercept, 0-1, over ``n`` items; nan where it is undefined."""

    share: float
    n: int


def explained_share(felt: Floats, expressed: Floats, groups: Ints | None = None) -> ExplainedShare:
    """Return R² of ``felt`` (n,) on ``expressed`` (n, levels); items without all of them are left out.

    ``groups``: (n,) a group each; their means are taken from both first, so that what sets whole groups apart does not
    count. Undefined where felt does not vary, or items are no more than the fit has numbers.
    """
    known = ~(np.isnan(felt) | np.isnan(expressed).any(axis=1))
    y, x = felt[known], expressed[known]
    group = np.zeros(len(y), dtype=np.int64) if groups is None else np.unique(groups[known], return_inverse=True)[1]
    count = np.bincount(group)
    if len(y) <= x.shape[1] + len(count):
        return ExplainedShare(float("nan"), len(y))
    y = y - (np.bincount(group, weights=y) / count)[group]
    x = x - np.stack([np.bincount(group, weights=column) / count for column in x.T], axis=1)[group]
    total = float(y @ y)
    if total <= 1e-12 * len(y):
        return ExplainedShare(float("nan"), len(y))
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return ExplainedShare(1 - float(left @ left) / total, len(y))
