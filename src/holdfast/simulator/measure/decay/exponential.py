"""The half-life of a fall: an exponential fall to a floor, a + b exp(-(t - t1) / tau), fitted to the mean curve.

It is fitted where a fall is shown (see ``holds``), beside a constant and a step (see ``shape``). A half-life is given
only where the data support this shape; otherwise a note says why not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from holdfast.core.wording import how_many
from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.decay.shape import Shape, ShapeResults, compare_shapes, level_rest

MIN_TURNS = 6
MAX_RELATIVE_ERROR = 1.0  # standard error of tau / tau above which the fit is undetermined

TAU_BOUNDS = (0.25, 1e4)  # turns
LN2 = math.log(2)
UNDEFINED = math.nan


def _no_shape(note: str) -> ShapeResults:
    return ShapeResults(preferred=None, behind={}, note=note)


@dataclass(frozen=True, slots=True)
class DecayFit:
    """``half_life_turns``: turns until half of the drop has happened, tau ln 2; nan where undetermined.

    ``note`` says what was fitted, or why there is no half-life. ``floor`` (a), ``drop`` (b) and ``tau`` are those of
    the fitted curve, nan where none was fitted; floor + drop is at most 1. ``shape``: beside a constant and a step.
    """

    half_life_turns: float
    note: str
    floor: float = UNDEFINED
    drop: float = UNDEFINED
    tau: float = UNDEFINED
    shape: ShapeResults = field(default_factory=lambda: _no_shape(""))

    @classmethod
    def unasked(cls, why: str) -> DecayFit:
        """Nothing is fitted where no fall is shown; ``why``."""
        return cls(UNDEFINED, why, shape=_no_shape(why))


def fit_decay(mean: Floats, n: Ints, step_at: float | None = None) -> DecayFit:
    """Fit the mean curve by least squares, each turn weighted by its number of episodes.

    ``mean``: adherence by turn (turns, in [0, 1], nan where missing), ``n``: episodes behind each; ``step_at``: the
    first turn of a new level, where one is known. No half-life, in this order:

    1. fewer than 6 turns: "undetermined";
    2. a constant describes the curve as well by AICc: "undetermined";
    3. a step is the preferred shape: "undetermined";
    4. tau ln 2 longer than the turns measured: "beyond the measured turns", as for any fall that has not begun to level
       off;
    5. standard error of tau above tau, or tau at its lower bound (the whole fall lies between two turns):
       "undetermined".
    """
    there = ~np.isnan(mean) & (n > 0)
    turn, curve = (np.flatnonzero(there) + 1).astype(np.float64), mean[there]
    if len(turn) < MIN_TURNS:
        return DecayFit.unasked(f"undetermined: {how_many(len(turn), 'turn')} measured, {MIN_TURNS} needed")
    weight = n[there] / n[there].mean()
    fit = _least_squares(turn - turn[0], curve, np.sqrt(weight))
    rests: dict[Shape, float] = {"constant": level_rest(curve, weight), "exponential": fit.rest}
    if step_at is not None:
        rests["step"] = sum(level_rest(curve[side], weight[side]) for side in (turn < step_at, turn >= step_at))
    shape = compare_shapes(rests, len(turn))
    why_not = _why_not(fit, turn, shape)
    if why_not:
        return DecayFit(UNDEFINED, why_not, fit.floor, fit.drop, fit.tau, shape)
    note = f"{_span(fit, turn)}, towards a floor of {fit.floor:.2f}"
    return DecayFit(fit.tau * LN2, note, fit.floor, fit.drop, fit.tau, shape)


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


def _why_not(curve: _Curve, turn: Floats, shape: ShapeResults) -> str | None:
    """Return why this curve gives no half-life, or None."""
    horizon, span = float(turn[-1] - turn[0]), _span(curve, turn)
    reasons = (
        (
            (shape.behind["exponential"] or 0.0) >= (shape.behind["constant"] or 0.0),
            "undetermined: turn by turn, an exponential fits no better than a level curve",
        ),
        (shape.preferred == "step", "undetermined: a step fits better than an exponential"),
        (curve.tau * LN2 > horizon, f"beyond the measured turns: {span} without levelling off"),
        (curve.tau <= TAU_BOUNDS[0] * 1.01, f"undetermined: {span} within one turn"),
        (
            not curve.tau_error <= MAX_RELATIVE_ERROR * curve.tau,
            f"undetermined: {span}, but the standard error of tau is above tau itself",
        ),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _span(curve: _Curve, turn: Floats) -> str:
    end = curve.at(float(turn[-1] - turn[0]))
    return f"from {curve.at(0):.2f} at turn {turn[0]:.0f} to {end:.2f} at turn {turn[-1]:.0f}"


def _least_squares(time: Floats, curve: Floats, weight: Floats) -> _Curve:
    """Return the best curve that starts in [0, 1] and falls to a floor from 0, with tau in ``TAU_BOUNDS``."""
    from scipy.optimize import least_squares  # here, so that importing this module stays instant

    def residual(parameters: Floats) -> Floats:
        start, kept, tau = parameters
        return np.asarray(weight * (start * (kept + (1 - kept) * np.exp(-time / tau)) - curve), dtype=np.float64)

    bounds = ([0.0, 0.0, TAU_BOUNDS[0]], [1.0, 1.0, TAU_BOUNDS[1]])
    high, low = (float(np.clip(value, 0.01, 0.99)) for value in (curve.max(), curve.min()))
    starts = [(high, min(low / high, 0.99), float(time[-1]) * share) for share in (0.1, 0.4, 2.0)]  # flat valleys
    best = min((least_squares(residual, at, bounds=bounds) for at in starts), key=lambda result: float(result.cost))
    start, kept, tau = (float(value) for value in best.x)
    floor, drop, rest = start * kept, start * (1 - kept), 2 * float(best.cost)
    fading = np.exp(-time / tau)
    slopes = weight[:, None] * np.stack([np.ones_like(time), fading, drop * fading * time / tau**2], axis=1)
    variance = rest / (len(time) - 3) * np.linalg.pinv(slopes.T @ slopes)
    return _Curve(floor, drop, tau, rest, math.sqrt(max(float(variance[2, 2]), 0.0)))
