"""Two candidates that met the same users: the figures of their difference, and the one verdict that all sections use.

Beside it what tests of pairs need elsewhere: the rows of the same users, p by sign flips, corrections of p.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.bootstrap import FEWEST, too_few
from holdfast.simulator.measure.estimates import Count, MeanEstimate, Number, Share
from holdfast.simulator.measure.power import VarianceResults

FLIPS = 9999
Metric = Literal["adherence_last_quarter", "adherence"]
METRICS: tuple[Metric, ...] = ("adherence_last_quarter", "adherence")  # the first makes the headline
ALPHA = 0.05
Family = Literal["trained and untrained", "alike"]
PairVerdict = Literal["higher", "lower", "not shown", "undecided", "untested", "never met"]


class PairResults(MeanEstimate):
    """a - b in one metric, averaged over users that both met; n: those users.

    Limits and p hold for all pairs of the family together, by one max-t bootstrap of personas: p is below .05 exactly
    where the limits leave out 0. Both are null below five people. Where the difference is the same in everyone there
    are no limits (``reason``), and p is that of sign flips, 2^(1 - people), times the pairs (Bonferroni).
    """

    a: str
    b: str
    metric: Metric
    family: Family = Field(
        description="Pairs that are tested together: a trained and an untrained candidate, or two of a kind."
    )
    pairs: Count = Field(description="Pairs of the family that are tested together, in this metric.")
    p: Share = Field(description="Two-sided, adjusted for all pairs of the family.")
    smallest: Number = Field(
        description="Smallest true difference that this design would have shown in four studies of five: (t.80 + what "
        "limits are made of, t.975 for a pair alone) SE; null where there are no limits."
    )
    people: Count
    doubt: str = Field(default="", description="Why the verdict is undecided: unrated replies could turn it; or empty.")
    variance: VarianceResults

    @property
    def verdict(self) -> PairVerdict:
        """Whether a adheres more (higher), less (lower), or that it cannot be said, and why."""
        if self.mean is None:
            return "never met"
        if self.doubt:
            return "undecided"
        if self.p is None:
            return "untested"
        sure = self.p < ALPHA if self.reason else self.excludes_zero
        return "not shown" if not sure else "higher" if self.mean > 0 else "lower"

    @property
    def shown(self) -> bool:
        """Whether a difference is shown; what is bold is just this."""
        return self.verdict in ("higher", "lower")

    @property
    def untested(self) -> str:
        """``"2 people: cannot be tested"``, or empty."""
        return too_few(self.people)


def align(a_keys: Sequence[str], b_keys: Sequence[str]) -> tuple[Ints, Ints]:
    """Return the rows of ``a`` and of ``b`` with the same user, in the order of ``a``. Keys are unique on each side."""
    place = {key: row for row, key in enumerate(b_keys)}
    both = [(row, place[key]) for row, key in enumerate(a_keys) if key in place]
    rows = np.array(both, dtype=np.int64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


def sign_flip_p(difference: Floats, codes: Ints, rng: np.random.Generator, flips: int = FLIPS) -> float:
    """Return the two-sided p of "no difference", by flipping the sign of whole clusters at random.

    Under it, swapping the two candidates for a persona changes nothing. (1 + flips at least as far from 0) /
    (1 + flips) (Phipson & Smyth 2010). c clusters can give no p below 2^(1 - c). nan with fewer than five clusters.
    ``difference``: episodes, nan left out; ``codes``: the cluster of each.
    """
    there = ~np.isnan(difference)
    if len(np.unique(codes[there])) < FEWEST:
        return float("nan")
    sums = np.bincount(codes[there], weights=difference[there])
    signs = rng.choice(np.array([-1.0, 1.0]), size=(flips, len(sums)))
    seen = abs(sums.sum()) * (1 - 1e-12)  # a flip of all or of none ties, whatever the rounding
    return float((1 + (np.abs(signs @ sums) >= seen).sum()) / (1 + flips))


def by_signs(people: int) -> float:
    """Return the two-sided p of "no difference" where so many people differ alike: of :func:`sign_flip_p`, exactly."""
    return float(2.0 ** (1 - people))


def holm(p: Sequence[float]) -> Floats:
    """Return p adjusted by Holm's (1979) step-down method; nan stays nan and is not counted among the tests."""
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(len(values), np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    steps = values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return adjusted


def benjamini_hochberg(p: Sequence[float]) -> Floats:
    """Return p adjusted by Benjamini & Hochberg (1995), by scipy; nan stays nan and is not counted among the tests."""
    from scipy.stats import false_discovery_control  # here, so that importing this module stays instant

    values = np.asarray(p, dtype=np.float64)
    adjusted, tested = np.full(len(values), np.nan), ~np.isnan(values)
    if tested.any():
        adjusted[tested] = false_discovery_control(values[tested])
    return adjusted
