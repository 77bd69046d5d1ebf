"""Equivalence test: whether a change lies within a margin ("not significant" does not show that).

Two one-sided tests (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987): "it fell by the margin or
more" and "it rose by the margin or more" must both be refused at 5 %, which is the same as a 90 % interval within
(-margin, margin). Done twice: with Student's t on persona means (episodes of a persona are alike, so the persona is
the unit), and with the bootstrap clustered by persona. "holds" needs both.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from holdfast.core.wording import how_many
from holdfast.simulator.measure.arrays import Floats, Ints, present_mean
from holdfast.simulator.measure.bootstrap import FEWEST, Resamples, mean_interval
from holdfast.simulator.measure.estimates import Count, Estimate, Number, ResultsPart, Share

MARGIN = 0.1  # adherence; holdfast's assumption: a tenth of the scale, a fifth of a level per mechanism
LEVEL = 0.90  # of the interval that answers two one-sided tests at 5 %

Verdict = Literal["holds", "falls", "rises", "undecided", "undefined"]


class EquivalenceResults(ResultsPart):
    """Two one-sided tests of the change of adherence from the first to the last quarter, within a conversation."""

    change: Number = Field(description="Mean over conversations.")
    lo: Number = Field(description="Limit of the bootstrap clustered by persona, at `level`.")
    hi: Number
    t_lo: Number = Field(description="Limit of Student's t on persona means, at `level`.")
    t_hi: Number
    p_t: Share = Field(description="The larger of the two one-sided p on persona means.")
    margin: float = Field(gt=0, description="Changes within -margin and +margin count as holding; an assumption.")
    n: Count = Field(description="Conversations with both quarters.")
    personas: Count
    verdict: Verdict = Field(
        description="holds: both limits within the margin; falls, rises: the bootstrap's limits lie beyond it "
        "altogether; undecided: neither is shown; undefined: see note."
    )
    note: str = Field(description="Why there is no verdict, or how many conversations it leaves out; or empty.")
    level: float = Field(description="Of the limits: 0.9 answers two one-sided tests at 5 %.")

    @property
    def estimate(self) -> Estimate:
        """The change with the limits of the bootstrap."""
        return Estimate(mean=self.change, lo=self.lo, hi=self.hi)


def equivalence(change: Floats, resamples: Resamples, margin: float = MARGIN) -> EquivalenceResults:
    """Test ``change`` (late minus early per episode, nan where either is missing) against ``margin``, in its unit.

    Undefined for fewer than five personas.

    Raises:
        ValueError: The margin is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"the margin must be above 0, got {margin}")
    interval = mean_interval(change, resamples, LEVEL)
    means = cluster_means(change, resamples.codes)
    short = len(change) - interval.n
    note = f"{short} of {len(change)} conversations did not reach the last quarter and are left out" if short else ""
    p = lo = hi = t_lo = t_hi = float("nan")
    verdict: Verdict = "undefined"
    if len(means) < FEWEST:
        note = f"undefined: change is known for {how_many(len(means), 'persona')}, at least {FEWEST} are needed"
    else:
        lo, hi = interval.lo, interval.hi
        p, t_lo, t_hi = two_one_sided_t(means, margin)
        verdict = "falls" if hi < -margin else "rises" if lo > margin else "undecided"
        if -margin < lo and hi < margin and p < 0.05:
            verdict = "holds"
    return EquivalenceResults(
        change=interval.mean,
        lo=lo,
        hi=hi,
        t_lo=t_lo,
        t_hi=t_hi,
        p_t=p,
        margin=margin,
        n=interval.n,
        personas=len(means),
        verdict=verdict,
        note=note,
        level=LEVEL,
    )


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
