"""Whether a score means what it says: of the passages scored about 3, is the mean label about 3?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from holdfast.simulator.measure.agreement import pairs


@dataclass(frozen=True, slots=True)
class Bin:
    """Passages of about one score: mean score, mean label, how many."""

    score: float
    label: float
    n: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """``bins``: the reliability table, lowest scores first; ``error``: the expected calibration error, in levels."""

    bins: tuple[Bin, ...]
    error: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def calibration(score: ArrayLike, label: ArrayLike, bins: int = 5) -> Calibration:
    """Reliability table and expected calibration error (Naeini, Cooper and Hauskrecht 2015, for a mean instead of a
    probability): the mean over passages of ``|mean score - mean label|`` of their bin.

    ``score``, ``label``: n each, on one scale; a pair with nan is left out. Bins hold near equal numbers of passages;
    equal scores share a bin, so there may be fewer than ``bins``. The error is nan where nothing is left; it is never
    below the error that chance alone makes in bins this small, so compare it between raters of the same n only.
    """
    first, second = pairs(score, label)
    if not len(first):
        return Calibration((), float("nan"))
    edges = np.unique(np.quantile(first, np.linspace(0, 1, bins + 1)[1:-1]))
    number = np.searchsorted(edges, first, side="left")
    found = tuple(
        Bin(float(first[number == one].mean()), float(second[number == one].mean()), int((number == one).sum()))
        for one in np.unique(number)
    )
    return Calibration(found, float(sum(one.n * abs(one.score - one.label) for one in found) / len(first)))
