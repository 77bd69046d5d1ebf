"""The half-life of adherence: an exponential decay to a floor, a + b exp(-(t - t1) / tau), fitted to the curve.

A half-life is given only where the data support this shape; otherwise a note says why not.
"""

import math
from dataclasses import dataclass

import numpy as np

from holdfast.core.wording import how_many
from holdfast.simulator.measure.arrays import Floats, Ints

MIN_TURNS = 6
MIN_DROP = 0.02  # a smaller fall over the whole curve is not called decay
MAX_RELATIVE_ERROR = 1.0  # standard error of tau / tau above which the fit is undetermined

TAU_BOUNDS = (0.25, 1e4)  # turns
LN2 = math.log(2)
UNDEFINED = math.nan


@dataclass(frozen=True, slots=True)
class DecayFit:
    """``half_life_turns``: turns until half of the drop has happened, tau ln 2; nan where undetermined.

    ``note`` says what was fitted, or why there is no half-life. ``floor`` (a), ``drop`` (b) and ``tau`` are those of
    the fitted curve, nan where none was fitted.
    """

    half_life_turns: float
    note: str
    floor: float = UNDEFINED
    drop: float = UNDEFINED
    tau: float = UNDEFINED


def fit_decay(mean: Floats, n: Ints, min_drop: float = MIN_DROP) -> DecayFit:
    """Fit the mean curve by least squares, each turn weighted by its number of episodes.

    ``mean``: adherence by turn (turns, in [0, 1], nan where missing), ``n``: episodes behind each. In this order:

    1. fewer than 6 turns: "fit undetermined";
    2. the curve rises, stays, or falls by less than ``min_drop`` from first to last turn as fitted, or a constant
       describes it as well by AICc (Hurvich & Tsai 1989): "does not decay";
    3. tau ln 2 longer than the turns measured: "decays beyond the measured horizon", as any fall does that has not
       begun to level off;
    4. standard error of tau above tau, or tau at its lower bound (the whole fall lies between two turns): "fit
       undetermined";
    5. otherwise a half-life.
    """
    there = ~np.isnan(mean) & (n > 0)
    turn, curve = (np.flatnonzero(there) + 1).astype(np.float64), mean[there]
    if len(turn) < MIN_TURNS:
        return DecayFit(UNDEFINED, f"fit undetermined: {how_many(len(turn), 'turn')} measured, {MIN_TURNS} needed")
    weight = np.sqrt(n[there] / n[there].mean())
    level = float(np.average(curve, weights=weight**2))
    constant = float(np.sum((weight * (curve - level)) ** 2))
    if constant < 1e-12:
        return DecayFit(UNDEFINED, f"does not decay: the curve is level at {level:.2f}")
    curve_fit = _least_squares(turn - turn[0], curve, weight)
    better = _aicc(curve_fit.rest, len(turn), 4) < _aicc(constant, len(turn), 2)
    why_not = _why_not(curve_fit, turn, level, better, min_drop)
    floor, drop, tau = curve_fit.floor, curve_fit.drop, curve_fit.tau
    if why_not:
        return DecayFit(UNDEFINED, why_not, floor, drop, tau)
    return DecayFit(tau * LN2, f"falls {_span(curve_fit, turn)}, towards a floor of {floor:.2f}", floor, drop, tau)


@dataclass(frozen=True, slots=True)
class _Curve:
    """floor + drop exp(-time / tau); ``rest``: weighted residual sum of squares; ``tau_error``: standard error."""

    floor: float
    drop: float
    tau: float
    rest: float
    tau_error: float

    def at(self, time: float) -> float:
        return self.floor + self.drop * math.exp(-time / self.tau)


def _why_not(curve: _Curve, turn: Floats, level: float, better: bool, min_drop: float) -> str | None:
    """Return why this curve gives no half-life, or None."""
    horizon = float(turn[-1] - turn[0])
    fall = curve.at(0) - curve.at(horizon)
    reasons = (
        (fall < min_drop, f"does not decay: the fitted curve falls by {fall:.3f} (under {min_drop:g})"),
        (not better, f"does not decay: a constant {level:.2f} describes the curve as well"),
        (
            curve.tau * LN2 > horizon,
            f"decays beyond the measured horizon: falls {_span(curve, turn)} without levelling off",
        ),
        (curve.tau <= TAU_BOUNDS[0] * 1.01, f"fit undetermined: falls {_span(curve, turn)} within one turn"),
        (
            not curve.tau_error <= MAX_RELATIVE_ERROR * curve.tau,
            f"fit undetermined: falls {_span(curve, turn)}, but the standard error of tau is above tau itself",
        ),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _span(curve: _Curve, turn: Floats) -> str:
    end = curve.at(float(turn[-1] - turn[0]))
    return f"from {curve.at(0):.2f} at turn {turn[0]:.0f} to {end:.2f} at turn {turn[-1]:.0f}"


def _least_squares(time: Floats, curve: Floats, weight: Floats) -> _Curve:
    """Return the best curve with floor in [0, 1], drop in [0, 2], tau in ``TAU_BOUNDS``."""
    from scipy.optimize import least_squares  # here, so that importing this module stays instant

    def residual(parameters: Floats) -> Floats:
        floor, drop, tau = parameters
        return np.asarray(weight * (floor + drop * np.exp(-time / tau) - curve), dtype=np.float64)

    bounds = ([0.0, 0.0, TAU_BOUNDS[0]], [1.0, 2.0, TAU_BOUNDS[1]])
    low, spread = float(np.clip(curve.min(), 0.01, 0.99)), max(float(np.ptp(curve)), 0.01)
    starts = [(low, spread, float(time[-1]) * share) for share in (0.1, 0.4, 2.0)]  # the surface has flat valleys
    best = min(
        (least_squares(residual, start, bounds=bounds) for start in starts), key=lambda result: float(result.cost)
    )
    floor, drop, tau = (float(value) for value in best.x)
    rest = 2 * float(best.cost)
    fading = np.exp(-time / tau)
    slopes = weight[:, None] * np.stack([np.ones_like(time), fading, drop * fading * time / tau**2], axis=1)
    variance = rest / (len(time) - 3) * np.linalg.pinv(slopes.T @ slopes)
    return _Curve(floor, drop, tau, rest, math.sqrt(max(float(variance[2, 2]), 0.0)))


def _aicc(rest: float, points: int, parameters: int) -> float:
    """Return Akaike's criterion corrected for small samples, up to a constant; ``parameters`` includes the variance."""
    correction = 2 * parameters * (parameters + 1) / (points - parameters - 1)
    return points * math.log(max(rest, 1e-300) / points) + 2 * parameters + correction
