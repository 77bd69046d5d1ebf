"""The log-rank test: whether two candidates lose the pattern at different times, for independent and paired episodes.

The textbook test (Mantel, Cancer Chemotherapy Reports 50, 1966) takes all episodes as independent. Here the same
personas meet both candidates, so a second p is given: a persona's episodes change sides as a whole. Observed minus
expected events of a side is the sum of its martingale residuals (Therneau, Grambsch & Fleming, Biometrika 77, 1990)
under the pooled curve, and the pooled curve does not change when sides do: swapping is flipping signs.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from holdfast.simulator.measure.arrays import Bools, Floats, Ints
from holdfast.simulator.measure.pairwise import FLIPS, sign_flip_p

UNDEFINED = float("nan")


@dataclass(frozen=True, slots=True)
class LogRank:
    """``a_minus_expected``: events of a minus those that the pooled curve expects; positive: a breaks sooner.

    ``chi2``, ``p``: one degree of freedom, episodes independent; ``p_paired``: whole personas swap sides; nan with a
    ``note`` where undefined. ``n``: episodes of both sides.
    """

    a_minus_expected: float
    chi2: float
    p: float
    p_paired: float
    n: int
    note: str = ""


def log_rank(
    a: tuple[Ints, Bools],
    b: tuple[Ints, Bools],
    groups: tuple[Sequence[str], Sequence[str]],
    rng: np.random.Generator,
    flips: int = FLIPS,
) -> LogRank:
    """Test ``a`` against ``b``: (time, happened) as of ``first_violations``, time 0 left out.

    ``groups``: the persona of each episode, per side. Only personas on both sides can swap: ``p_paired`` is based on
    those. nan where neither side has an event.
    """
    known = a[0] > 0, b[0] > 0
    time = np.concatenate([a[0][known[0]], b[0][known[1]]])
    happened = np.concatenate([a[1][known[0]], b[1][known[1]]])
    side = np.repeat([1.0, -1.0], [known[0].sum(), known[1].sum()])
    who = np.concatenate([np.asarray(names, dtype=str)[kept] for names, kept in zip(groups, known, strict=True)])
    if not happened.any():
        return LogRank(UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, len(time), "no conversation broke on either side")
    if len(np.unique(side)) < 2:
        return LogRank(UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED, len(time), "one side has no conversation to judge")
    from statsmodels.duration.survfunc import survdiff  # here: it brings pandas

    chi2 = p = UNDEFINED
    with suppress(np.linalg.LinAlgError):  # no variance: all who were at risk broke at the same turns
        chi2, p = survdiff(time, happened.astype(np.int64), side)
    note = "all broke at the same turns" if np.isnan(chi2) else ""
    surplus = martingale_residuals(time, happened)
    both = np.isin(who, np.intersect1d(who[side > 0], who[side < 0]))
    codes = np.unique(who[both], return_inverse=True)[1]
    paired = sign_flip_p((side * surplus)[both], codes, rng, flips) if both.any() else UNDEFINED
    return LogRank(float(surplus[side > 0].sum()), float(chi2), float(p), paired, len(time), note)


def martingale_residuals(time: Ints, happened: Bools) -> Floats:
    """Return events minus expected events of each episode, by Nelson-Aalen; they sum to 0.

    ``happened`` - sum over turns up to the episode's own of events / at risk.
    """
    turn = np.arange(1, int(time.max()) + 1)
    at_risk = (time[None, :] >= turn[:, None]).sum(axis=1)
    events = ((time[None, :] == turn[:, None]) & happened).sum(axis=1)
    return np.asarray(happened - np.cumsum(events / at_risk)[time - 1], dtype=np.float64)
