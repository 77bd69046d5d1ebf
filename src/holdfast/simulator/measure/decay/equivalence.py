"""Equivalence test: whether a change lies within a margin ("not significant" does not show that).

Two one-sided tests (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987): "it fell by the margin or
more" and "it rose by the margin or more" must both be refused at 5 %, which is the same as a 90 % interval within
(-margin, margin). Done twice: with Student's t on persona means (episodes of a persona are alike, so the persona is
the unit), and with the bootstrap clustered by persona. "holds" needs both.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdfast.simulator.measure.arrays import Floats, Ints, present_mean
from holdfast.simulator.measure.bootstrap import Resamples, mean_interval

MARGIN = 0.1  # adherence; holdfast's assumption: a tenth of the scale, a fifth of a level per mechanism
LEVEL = 0.90  # of the interval that answers two one-sided tests at 5 %

Verdict = Literal["holds", "falls", "rises", "undecided", "undefined"]


@dataclass(frozen=True, slots=True)
class Equivalence:
    """``change``: mean over episodes, with the 90 % limits of the bootstrap (``lo``, ``hi``).

    ``p_t``: of the t version, the larger of its two one-sided p. ``t_lo``, ``t_hi``: 90 % limits on persona means.
    ``verdict``: "holds": both within the margin; "falls" ("rises"): the bootstrap's limits lie below -margin (above
    +margin) altogether; "undecided": anything else; "undefined": fewer than two personas, see ``note``.
    ``n``: episodes, ``personas``: how many of them.
    """

    change: float
    lo: float
    hi: float
    t_lo: float
    t_hi: float
    p_t: float
    margin: float
    n: int
    personas: int
    verdict: Verdict
    note: str = ""


def equivalence(change: Floats, resamples: Resamples, margin: float = MARGIN) -> Equivalence:
    """Test ``change`` (late minus early per episode, nan where either is missing) against ``margin``, in its unit.

    Raises:
        ValueError: The margin is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"the margin must be above 0, got {margin}")
    interval = mean_interval(change, resamples, LEVEL)
    means = cluster_means(change, resamples.codes)
    nan = float("nan")
    if len(means) < 2:
        note = f"undefined: change is known for {len(means)} personas, at least 2 are needed"
        return Equivalence(interval.mean, nan, nan, nan, nan, nan, margin, interval.n, len(means), "undefined", note)
    p, t_lo, t_hi = two_one_sided_t(means, margin)
    within = -margin < interval.lo and interval.hi < margin
    verdict: Verdict = "undecided"
    if within and p < 0.05:
        verdict = "holds"
    elif interval.hi < -margin:
        verdict = "falls"
    elif interval.lo > margin:
        verdict = "rises"
    return Equivalence(interval.mean, interval.lo, interval.hi, t_lo, t_hi, p, margin, interval.n, len(means), verdict)


def two_one_sided_t(values: Floats, margin: float) -> tuple[float, float, float]:
    """Return (p, lo, hi): the larger one-sided p of "the mean lies beyond the margin", and the mean's 90 % t limits.

    ``values``: at least two independent ones. Without any spread p is 0 within the margin and 1 beyond it.
    """
    from scipy.special import stdtr, stdtrit  # here, so that importing this module stays instant

    n, mean = len(values), float(values.mean())
    error = float(values.std(ddof=1)) / np.sqrt(n)
    if error < 1e-12:
        return (0.0 if abs(mean) < margin else 1.0), mean, mean
    below, above = (mean + margin) / error, (mean - margin) / error
    p = max(float(stdtr(n - 1, -below)), float(stdtr(n - 1, above)))
    half = -float(stdtrit(n - 1, (1 - LEVEL) / 2)) * error
    return p, float(mean - half), float(mean + half)


def cluster_means(values: Floats, codes: Ints) -> Floats:
    """Return the mean of each cluster's values; clusters without any are left out."""
    clusters = int(codes.max()) + 1 if len(codes) else 0
    table = np.full((clusters, len(values)), np.nan)
    table[codes, np.arange(len(values))] = values
    means = present_mean(table, axis=1)
    return means[~np.isnan(means)]
