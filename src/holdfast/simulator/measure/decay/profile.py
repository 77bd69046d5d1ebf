"""Profile-likelihood intervals for half-life and floor of the exponential decay, adjusted for clustering.

The curve is :func:`~holdfast.simulator.measure.decay.exponential.fit_decay`'s: a + b exp(-(t - t1) / tau), least
squares over all turns of all conversations. For a value of one parameter the others are fitted anew; the interval holds
the values whose least sum of squares stays within a bound (Bates & Watts, Nonlinear Regression Analysis, 1988). Unlike
estimate +- 2 standard errors it may be asymmetric.

Turns of a conversation, and conversations of a persona, are not independent, so the plain bound is far too tight. The
profile is stretched (Chandler & Bate, Biometrika 94, 2007) by the ratio of the parameter's variance if turns were
independent to its variance over personas (the sandwich), and compared with t(c - 1)^2 for c personas.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from holdfast.simulator.measure.arrays import Floats, Ints, present_mean
from holdfast.simulator.measure.bootstrap import too_few
from holdfast.simulator.measure.decay.exponential import LN2, TAU_BOUNDS, DecayFit, fit_decay
from holdfast.simulator.measure.estimates import UNDEFINED, Estimate, ResultsPart

GRID = 240  # places of tau, and of the floor, at which the profile is computed


class ExponentialResults(ResultsPart):
    """The exponential fall to a floor with profile-likelihood limits, adjusted for personas."""

    half_life: Estimate = Field(description="Turns.")
    floor: Estimate = Field(description="Adherence.")
    note: str


def profile_decay(values: Floats, groups: Sequence[str], fit: DecayFit | None = None) -> ExponentialResults:
    """Return the intervals. ``values``: adherence, episodes x turns, nan where missing; ``groups``: their clusters.

    ``fit``: of the mean curve, where already computed. Undefined where it gives no half-life; no limits below 5
    people, and no upper one where the data set none.
    """
    mean, n = present_mean(values, axis=0), (~np.isnan(values)).sum(axis=0).astype(np.int64)
    fit = fit or fit_decay(mean, n)
    if math.isnan(fit.half_life_turns):
        return ExponentialResults(half_life=UNDEFINED, floor=UNDEFINED, note=fit.note)
    codes = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    clusters = len(np.unique(codes[~np.isnan(values).all(axis=1)]))
    if few := too_few(clusters):
        half_life, floor = (Estimate.undefined(mean=mean) for mean in (fit.half_life_turns, fit.floor))
        return ExponentialResults(half_life=half_life, floor=floor, note=few)
    used = n > 0
    time = np.flatnonzero(used).astype(np.float64)
    curve = _MeanCurve(time - time[0], mean[used], n[used].astype(np.float64))
    bounds = _stretched_bounds(curve, values[:, used], codes, fit, clusters)
    taus = np.geomspace(*TAU_BOUNDS, GRID * 4)
    taus = np.sort(np.append(taus, fit.tau))
    tau_lo, tau_hi = _within(curve.rest_at_tau, taus, fit.tau, bounds[1])
    coarse = np.sort(np.append(taus[::4], fit.tau))
    floors = np.sort(np.append(np.linspace(0.0, 1.0, GRID + 1), fit.floor))
    floor_lo, floor_hi = _within(lambda floor: curve.rest_at_floor(floor, coarse), floors, fit.floor, bounds[0])
    limited = tau_hi < TAU_BOUNDS[1]
    return ExponentialResults(
        half_life=Estimate(mean=fit.half_life_turns, lo=tau_lo * LN2, hi=tau_hi * LN2 if limited else None),
        floor=Estimate(mean=fit.floor, lo=floor_lo, hi=floor_hi),
        note=fit.note if limited else f"{fit.note}; the data set no upper limit to the half-life",
    )


@dataclass(frozen=True, slots=True)
class _MeanCurve:
    """Time since the first turn, mean, and number of episodes, for each turn that took place."""

    time: Floats
    mean: Floats
    n: Floats

    def rest_at_tau(self, taus: Floats) -> Floats:
        """Return the least weighted sum of squares for each tau, floor and drop from 0, their sum at most 1."""
        fading = np.exp(-self.time[None] / taus[:, None])
        x, y = self._about(fading), self.mean - np.average(self.mean, weights=self.n)
        spread = (self.n * x**2).sum(axis=1)
        drop = np.divide((self.n * x * y).sum(axis=1), spread, out=np.zeros(len(taus)), where=spread > 1e-12)
        floor = ((self.n * (self.mean - drop[:, None] * fading)).sum(axis=1)) / self.n.sum()
        inside = (floor >= 0) & (drop >= 0) & (floor + drop <= 1)
        best = (self.n * (y - drop[:, None] * x) ** 2).sum(axis=1)
        return np.where(inside, best, self._rest_at_edge(fading))

    def _rest_at_edge(self, fading: Floats) -> Floats:
        """The least on the three edges of what is allowed: a floor of 0, no drop, a start of 1."""
        no_floor = self._rest_given_floor(np.zeros(len(fading)), fading)
        no_drop = self._least(np.zeros_like(fading), np.ones_like(fading), 1.0)
        return np.minimum(np.minimum(no_floor, no_drop), self._least(fading, 1 - fading, 1.0))

    def rest_at_floor(self, floors: Floats, taus: Floats) -> Floats:
        """Return the least weighted sum of squares for each floor, over tau and drop."""
        fading = np.exp(-self.time[None] / taus[:, None])
        return np.array([self._rest_given_floor(np.full(len(taus), floor), fading).min() for floor in floors])

    def _rest_given_floor(self, floor: Floats, fading: Floats) -> Floats:
        return self._least(np.broadcast_to(floor[:, None], fading.shape), fading, 1 - floor)

    def _least(self, fixed: Floats, slope: Floats, most: Floats | float) -> Floats:
        """Least squares of fixed + x slope, row by row, with x in [0, ``most``]."""
        above, spread = self.mean[None] - fixed, (self.n * slope**2).sum(axis=1)
        x = np.divide((self.n * above * slope).sum(axis=1), spread, out=np.zeros(len(slope)), where=spread > 1e-12)
        x = np.clip(x, 0.0, most)
        return np.asarray((self.n * (above - x[:, None] * slope) ** 2).sum(axis=1))

    def _about(self, rows: Floats) -> Floats:
        return np.asarray(rows - (rows * self.n).sum(axis=1, keepdims=True) / self.n.sum())


def _stretched_bounds(curve: _MeanCurve, values: Floats, codes: Ints, fit: DecayFit, clusters: int) -> Floats:
    """Return the allowed rise of the sum of squares for floor and tau: t^2 x sandwich variance / inverse curvature."""
    from scipy.special import stdtrit  # here, so that importing this module stays instant

    fading = np.exp(-curve.time / fit.tau)
    slopes = np.stack([np.ones_like(fading), fit.drop * fading * curve.time / fit.tau**2, fading], axis=1)
    bread = np.linalg.pinv(slopes.T @ (curve.n[:, None] * slopes))
    miss = np.where(np.isnan(values), 0.0, values - (fit.floor + fit.drop * fading))
    scores = np.zeros((int(codes.max()) + 1, 3))
    np.add.at(scores, codes, miss @ slopes)
    sandwich = bread @ (scores.T @ scores) @ bread * clusters / (clusters - 1)
    quantile = float(stdtrit(clusters - 1, 0.975))
    return np.asarray(quantile**2 * np.diag(sandwich)[:2] / np.diag(bread)[:2])


def _within(rest: Callable[[Floats], Floats], grid: Floats, best: float, bound: float) -> tuple[float, float]:
    """Return the ends of the interval of ``grid`` around ``best`` in which ``rest`` is at most its least + ``bound``.

    Between two places of the grid the crossing is interpolated.
    """
    rise = rest(grid)
    rise = rise - rise.min() - bound
    centre = int(np.searchsorted(grid, best))
    return _crossing(grid[centre::-1], rise[centre::-1]), _crossing(grid[centre:], rise[centre:])


def _crossing(grid: Floats, rise: Floats) -> float:
    beyond = np.flatnonzero(rise > 0)
    if not len(beyond):
        return float(grid[-1])
    at = int(beyond[0])
    if at == 0:
        return float(grid[0])
    share = rise[at - 1] / (rise[at - 1] - rise[at])
    return float(grid[at - 1] + share * (grid[at] - grid[at - 1]))
