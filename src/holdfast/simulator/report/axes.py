"""From values to places on a chart: positions in per cent, round tick values, labels that do not overlap.

Charts are SVG whose x runs in per cent of the width that the page gives them, so that text keeps its size on a phone.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.agents.raters.protocol import EXPRESSED, Scale
from holdfast.simulator.measure.estimates import Curve
from holdfast.simulator.report.values import MINUS


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear scale from [lo, hi] to [0, 100]; ``tick_values`` lie within. ``hi`` > ``lo``."""

    lo: float
    hi: float
    tick_values: tuple[float, ...] = ()
    digits: int = 1

    def at(self, value: float) -> float:
        """Position of ``value`` in per cent from the low end, clipped to the axis, with two decimals."""
        share = (value - self.lo) / (self.hi - self.lo)
        return round(100 * min(1.0, max(0.0, share)), 2)

    def where(self, value: float | None) -> float | None:
        """As :meth:`at`; None where the value is undefined."""
        return None if value is None else self.at(value)

    def down(self, value: float) -> float:
        """As :meth:`at`, counted from the top: SVG's y grows downwards."""
        return round(100 - self.at(value), 2)

    def ticks(self) -> list[tuple[float, str]]:
        """(position, label) of each tick."""
        return [(self.at(v), f"{v:.{self.digits}f}".replace("-", MINUS)) for v in self.tick_values]


SHARE = Axis(0, 1, (0, 0.25, 0.5, 0.75, 1), 2)


def fitted(values: Iterable[float], floor: float = -math.inf, ceiling: float = math.inf, target: int = 5) -> Axis:
    """An axis with round ticks around ``values`` that never leaves [floor, ceiling]; [0, 1] where there are none."""
    known = [v for v in values if math.isfinite(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if high - low < 1e-9:
        low, high = low - 0.1, high + 0.1
    step = round_step((high - low) / target)
    lo, hi = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    lo, hi = max(lo, floor), min(hi, ceiling)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first = math.ceil(lo / step - 1e-9)
    ticks = [k * step for k in range(first, math.floor(hi / step + 1e-9) + 1)]
    return Axis(lo, hi if hi > lo else lo + step, tuple(round(t, digits + 2) for t in ticks), digits)


def levels_axis(curves: Iterable[Curve], scale: Scale = EXPRESSED, *, distances: bool = False) -> Axis:
    """One axis from the low end of ``scale`` (from 0 for ``distances``) for the curves of all its dimensions, so that
    they can be compared."""
    low, high = (0.0, scale.width) if distances else (scale.low, scale.high)
    highs = [value for curve in curves for point in curve for value in (point.mean, point.hi) if value is not None]
    return fitted([low, *highs], low, high, target=4)


def round_step(rough: float) -> float:
    """The smallest of 1, 2, 5 x 10^k that is at least ``rough`` (> 0)."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))


def turn_axis(turns: int, first: int = 1) -> Axis:
    """Turns ``first`` to ``turns``, about six ticks, both ends among them; a single turn stands in the middle."""
    if turns <= first:
        return Axis(first - 1, first + 1, (first,), 0)
    step = max(1, int(round_step(max(1.0, turns / 6))))
    inner = [t for t in range(step, turns, step) if t - first > step / 3 and turns - t > step / 3]
    return Axis(first, turns, tuple(dict.fromkeys((first, *inner, turns))), 0)


def spread_labels(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move ``places`` apart until neighbours are ``gap`` apart, staying near where they were and in [low, high].

    Groups of labels that touch are centred on the mean of what they point at (pool adjacent violators).
    """
    if not places:
        return []
    from scipy.optimize import isotonic_regression  # here, so that importing this module stays instant

    order = np.argsort(places, kind="stable")
    ranks = np.arange(len(places))
    flat = isotonic_regression(np.asarray(places, dtype=np.float64)[order] - ranks * gap).x + ranks * gap
    overflow = max(0.0, float(flat[-1]) - high)
    # A crowd at the bottom edge pushes upwards, one at the top downwards.
    placed = np.maximum(flat - overflow, low + ranks * gap)
    if overflow:
        placed = np.minimum(placed, high - ranks[::-1] * gap)
    return [round(float(place), 1) for place in placed[np.argsort(order)]]
