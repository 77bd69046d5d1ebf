"""Numbers as people round them: halves away from zero, on the decimal that they see."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def rounded(value: float, digits: int) -> str:
    """``33.25`` to one decimal -> ``33.3``, where binary rounding to even gives 33.2. ``value`` must be finite."""
    return str(Decimal(repr(round(float(value), 9))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
