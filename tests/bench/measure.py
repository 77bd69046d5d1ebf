"""How the benchmarks tell what they found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One comparison: CPU seconds (or ``unit``) of what is measured, of what it is held against, and what that is.

    ``goal``: what it has to be, in words.
    """

    name: str
    seconds: float
    against: str
    against_seconds: float
    unit: str = "s"
    goal: str = ""

    @property
    def ratio(self) -> float:
        """Above 1: faster than what it is held against."""
        return self.against_seconds / self.seconds
