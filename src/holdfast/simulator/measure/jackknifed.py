"""Estimates with the same left out of one person at a time: their limits, differences and ratios.

Errors are those of a jackknife over persons (conservative: Efron & Stein, Annals of Statistics 9, 1981), with Student's
t on persons - 1. A jackknife sees only what varies in the sample, and is 0 where nothing does. There the share of
persons that may differ unseen (``bootstrap.unseen_share``) counts as far off as the scale allows, as auditors have it
for a sample without errors (Stringer's bound: Bickel, International Statistical Review 60, 1992).

On each side that distance and the jackknife's are squared and added, as MOVER does it (Zou & Donner, Statistics in
Medicine 27, 2008; of ratios, Donner & Zou, Statistical Methods in Medical Research 21, 2012): for ratios it is
Fieller's method where both sides are alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from holdfast.simulator.measure.arrays import Bools, Floats
from holdfast.simulator.measure.bootstrap import ALIKE, unseen_share
from holdfast.simulator.measure.estimates import Estimate

LEVEL = 0.95
UNVARIED = "limits allow for what was not seen"


@dataclass(frozen=True, slots=True)
class Jackknifed:
    """An estimate, and the same without each person in turn.

    Attributes:
        value: nan where it is undefined.
        without: (P,) nan where leaving out that person leaves nothing, or where the person has no part in it.
        share: Of the variance that is left: below 1 where the persons with labels are a part of a finite population.
        people: On how many persons' labels it rests; of an estimate without labels, on how many persons.
        counted: (P,) the persons over whom Student's t is. None: all who have a part.
        below, above: How far the truth may lie on either side because of what has not varied in the sample.
        lowest, highest: The ends of what the value can be.
        reason: Why it is undefined, or what its limits come from; else empty.
    """

    value: float
    without: Floats
    share: float = 1.0
    people: int = 0
    counted: Bools | None = None
    below: float = 0.0
    above: float = 0.0
    lowest: float = -np.inf
    highest: float = np.inf
    reason: str = ""

    @property
    def persons(self) -> int:
        """Over how many persons Student's t is."""
        return int(self._those_counted.sum())

    @property
    def variance(self) -> float:
        """Jackknife variance; nan below two persons."""
        return covariance(self, self)

    def minus(self, other: Jackknifed) -> Jackknifed:
        """Return the difference over the same persons: what both have in common cancels."""
        without = _filled(self) - _filled(other)
        without[np.isnan(self.without) & np.isnan(other.without)] = np.nan
        return Jackknifed(
            self.value - other.value,
            without,
            max(self.share, other.share),
            min(self.people, other.people),
            self._those_counted | other._those_counted,
            float(np.hypot(self.below, other.above)),
            float(np.hypot(self.above, other.below)),
            self.lowest - other.highest,
            self.highest - other.lowest,
        ).unless_it_varies("the difference does not vary between people")

    def times(self, factor: float) -> Jackknifed:
        """Return ``factor`` times the same; ``factor``: not below 0."""
        sides = {name: factor * getattr(self, name) for name in ("below", "above", "lowest", "highest")}
        return replace(self, value=factor * self.value, without=factor * self.without, **sides)

    def unless_it_varies(self, reason: str) -> Jackknifed:
        """Return the same where persons differ, or where it is known what has not varied; else with the distances at
        which the truth may lie unseen (``unseen_share``), and the ``reason``."""
        there = self.without[~np.isnan(self.without)]
        if not self.people or not len(there) or self.below or self.above or np.ptp(there) > ALIKE:
            return self
        unseen = unseen_share(self.people) * math.sqrt(self.share)
        below, above = unseen * (self.value - self.lowest), unseen * (self.highest - self.value)
        return replace(self, below=below, above=above, reason=f"{reason}: {UNVARIED}")

    @property
    def _those_counted(self) -> Bools:
        there = ~np.isnan(self.without)
        return there if self.counted is None else there & self.counted

    def interval(self) -> Estimate:
        """Return the estimate with its limits, by Student's t."""
        half = student(self.persons) * np.sqrt(self.variance)
        below, above = np.hypot(half, self.below), np.hypot(half, self.above)
        return Estimate(mean=self.value, lo=self.value - below, hi=self.value + above)


def contrast(top: Jackknifed, bottom: Jackknifed) -> Jackknifed:
    """Return top - ratio x bottom, which is 0: what its persons say of how far the ratio top / bottom is certain."""
    return top.minus(bottom.times(max(0.0, top.value / bottom.value)))


def fieller_interval(top: Jackknifed, bottom: Jackknifed) -> Estimate:
    """Return top / bottom with Fieller's limits (Fieller, JRSS B 16, 1954), for retention.

    Without limits (None) where ``bottom`` is not surely different from 0.
    """
    if not np.isfinite(bottom.value) or bottom.value == 0:
        return Estimate(mean=None, lo=None, hi=None)
    if not any((top.below, top.above, bottom.below, bottom.above)):
        same_ratio = contrast(top, bottom)
        top = replace(top, below=same_ratio.below, above=same_ratio.above)
    lo, _ = _fieller(top, bottom, top.below, bottom.above)
    _, hi = _fieller(top, bottom, top.above, bottom.below)
    bounded = np.isfinite(lo) and np.isfinite(hi)
    return Estimate(mean=top.value / bottom.value, lo=lo if bounded else None, hi=hi if bounded else None)


def _fieller(top: Jackknifed, bottom: Jackknifed, top_unseen: float, bottom_unseen: float) -> tuple[float, float]:
    """Both limits of top / bottom if labels may be so far off unseen; nan where there are none."""
    ratio = top.value / bottom.value
    t = student(min(top.persons, bottom.persons))
    v_top, v_bottom = top.variance + (top_unseen / t) ** 2, bottom.variance + (bottom_unseen / t) ** 2
    both = covariance(top, bottom)
    g = t * t * v_bottom / bottom.value**2
    inner = v_top - 2 * ratio * both + ratio**2 * v_bottom - g * (v_top - both**2 / v_bottom if v_bottom else v_top)
    if not g < 1 or not inner >= 0:
        return float("nan"), float("nan")
    centre = ratio - (g * both / v_bottom if v_bottom else 0.0)
    half = t / abs(bottom.value) * np.sqrt(inner)
    return (centre - half) / (1 - g), (centre + half) / (1 - g)


def covariance(a: Jackknifed, b: Jackknifed) -> float:
    """Return the jackknife covariance of two estimates over the same persons; nan below two."""
    either = ~(np.isnan(a.without) & np.isnan(b.without))
    persons = int(either.sum())
    if persons < 2:
        return float("nan")
    of_a, of_b = _filled(a)[either], _filled(b)[either]
    spread = ((of_a - of_a.mean()) * (of_b - of_b.mean())).sum()
    return float((persons - 1) / persons * spread * max(a.share, b.share))


def _filled(of: Jackknifed) -> Floats:
    """Without a person who has no part in it, the estimate is what it is."""
    return np.where(np.isnan(of.without), of.value, of.without)


def student(persons: int) -> float:
    """Return the t of :data:`LEVEL` limits over so many persons; nan below two."""
    from scipy.special import stdtrit  # here, so that importing this module stays instant

    return float(-stdtrit(persons - 1, (1 - LEVEL) / 2)) if persons > 1 else float("nan")
