"""How the benchmarks tell what they found."""

from __future__ import annotations

import time
from collections.abc import Callable
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


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on the clock, and tokens written in them."""

    seconds: float
    tokens: int

    @property
    def ms(self) -> float:
        """Milliseconds a token."""
        return 1000 * self.seconds / self.tokens


def timed(work: Callable[[], int]) -> Spent:
    """``work`` returns how many tokens it wrote."""
    began = time.perf_counter()
    tokens = work()
    return Spent(time.perf_counter() - began, tokens)
