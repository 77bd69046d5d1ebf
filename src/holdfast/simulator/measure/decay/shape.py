"""Which shape a fall has: a step to another level, or an exponential fall to a floor; told apart by AICc.

Each shape is fitted to the mean curve by least squares, a turn weighted by its conversations, and charged for its
parameters by Akaike's criterion, corrected for few points (AICc; Hurvich & Tsai, Biometrika 76, 1989)::

    AICc = m ln(rest / m) + 2 k + 2 k (k + 1) / (m - k - 1)        m turns, k parameters with the variance

    constant      k = 2: level
    step          k = 4: level before, level after, turn of the change
    exponential   k = 4: floor, drop, tau

A shape is preferred where all others lie at least 2 behind (Burnham & Anderson, Model Selection and Multimodel
Inference, 2002, section 2.6); else they are not told apart. Adherence lies in [0, 1], and so does every fitted value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field

from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.estimates import Number, ResultsPart

APART = 2.0  # of AICc
PARAMETERS = {"constant": 2, "step": 4, "exponential": 4}  # with the variance
TINIEST = 1e-300

Shape = Literal["constant", "step", "exponential"]


class ShapeResults(ResultsPart):
    """Which shape the mean curve of a candidate that falls has."""

    preferred: Shape | None = Field(description="null: they are not told apart, or none was fitted; see note.")
    behind: dict[str, Number] = Field(description="AICc of each fitted shape less that of the best one, by shape.")
    note: str


def compare_shapes(rests: Mapping[Shape, float], points: int) -> ShapeResults:
    """Compare shapes by what their fits leave.

    Args:
        rests: Weighted sum of squares that each shape leaves.
        points: Turns that they were fitted to, at least 6.
    """
    criteria = {shape: aicc(rest, points, PARAMETERS[shape]) for shape, rest in rests.items()}
    first, *others = sorted(criteria, key=lambda shape: (criteria[shape], shape))
    behind: dict[str, float | None] = {shape: value - criteria[first] for shape, value in criteria.items()}
    rivals = [shape for shape in others if criteria[shape] - criteria[first] < APART]
    if rivals:
        near = " and ".join(sorted([first, *rivals]))
        return ShapeResults(preferred=None, behind=behind, note=f"not told apart: {near}")
    gap = min((criteria[shape] - criteria[first] for shape in others), default=math.nan)
    note = f"{first}, by {min(gap, 999):.1f} of AICc" if others else first
    if first == "constant":  # asked of a fall that conversations show: too few turns, not a level
        note = f"undetermined: by AICc these {points} turns bear no more than their mean"
    return ShapeResults(preferred=first, behind=behind, note=note)


def aicc(rest: float, points: int, parameters: int) -> float:
    """Return Akaike's criterion corrected for few points, up to a constant; ``parameters`` includes the variance."""
    correction = 2 * parameters * (parameters + 1) / (points - parameters - 1)
    return points * math.log(max(rest, TINIEST) / points) + 2 * parameters + correction


def level_rest(curve: Floats, weight: Floats) -> float:
    """Return what a constant leaves: the weighted sum of squares about the weighted mean."""
    if not weight.sum():
        return 0.0
    return float(np.sum(weight * (curve - np.average(curve, weights=weight)) ** 2))
