"""Rounding as people do it: halves away from zero, on the decimal that is displayed."""

from decimal import ROUND_HALF_UP, Decimal


def round_half_up(value: float, digits: int) -> str:
    """Return ``value`` (finite) with ``digits`` decimals: ``33.25`` gives ``33.3`` where ``round`` gives 33.2."""
    return str(Decimal(repr(round(float(value), 9))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
