"""Calibration of a score: whether passages scored about 3 have a mean label of about 3."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from holdfast.agents.raters.agreement import pairs


@dataclass(frozen=True, slots=True)
class Bin:
    """Passages of about one score: mean score, mean label, count."""

    score: float
    label: float
    n: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """``bins``: the reliability table, lowest scores first; ``error``: the expected calibration error, in levels."""

    bins: tuple[Bin, ...]
    error: float


def calibration(score: ArrayLike, label: ArrayLike, bins: int = 5) -> Calibration:
    """Return the reliability table and the expected calibration error.

    The error is the mean over passages of ``|mean score - mean label|`` of their bin (Naeini, Cooper and Hauskrecht
    2015, for a mean instead of a probability). ``score``, ``label``: n each, on one scale; a pair with nan is left out.
    Bins hold about equal numbers of passages; equal scores share a bin, so there may be fewer than ``bins``. The error
    is nan where nothing is left. It includes the error that chance alone makes in bins this small, so compare it
    between raters of the same n only.
    """
    first, second = pairs(score, label)
    if not len(first):
        return Calibration((), float("nan"))
    edges = np.unique(np.quantile(first, np.linspace(0, 1, bins + 1)[1:-1]))
    number = np.searchsorted(edges, first, side="left")
    table = tuple(
        Bin(float(first[number == place].mean()), float(second[number == place].mean()), int((number == place).sum()))
        for place in np.unique(number)
    )
    return Calibration(table, float(sum(row.n * abs(row.score - row.label) for row in table) / len(first)))
