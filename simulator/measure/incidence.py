"""How many conversations have ended in each way by each turn, where one way of ending takes the chance of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulator.measure.arrays import Floats, Ints


def cumulative_incidence(time: Ints, end: Sequence[str], kinds: Sequence[str]) -> Mapping[str, Floats]:
    """Aalen & Johansen (1978): kind -> the share that has ended so by turns 1, 2, ... up to the longest.

    ``time``: turns that each conversation had (episodes; those with 0 are left out); ``end``: how each ended, any word
    that is not in ``kinds`` for one that was cut off by its plan or by the log, and is censored.

    Share of kind k after turn t: sum over u <= t of S(u - 1) d_k(u) / n(u), with n(u) the conversations that reached
    turn u, d_k(u) those that ended so at u, and S the Kaplan-Meier share without any end of ``kinds``. Reading 1 - S of
    one kind alone instead would call the others censored, and overstate it (Putter, Fiocco & Geskus 2007).
    """
    known = time > 0
    time, ends = time[known], np.asarray(end, dtype=str)[known]
    longest = int(time.max()) if len(time) else 0
    at_risk = np.cumsum(np.bincount(time, minlength=longest + 1)[1:][::-1])[::-1]
    by_kind = {kind: np.bincount(time[ends == kind], minlength=longest + 1)[1:] for kind in kinds}
    any_end = sum(by_kind.values(), np.zeros(longest, dtype=np.int64))
    before = np.concatenate([[1.0], np.cumprod(1 - any_end / at_risk)])[:longest]
    return {kind: np.cumsum(before * count / at_risk) for kind, count in by_kind.items()}
