"""Numbers as the page writes them. An undefined one (None or nan) is an en dash, never 0."""

import math
from typing import Any

from holdfast.agents.raters.protocol import Scale
from holdfast.core.rounding import round_half_up
from holdfast.simulator.measure.estimates import Estimate

UNDEFINED = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
_SHORT = {"emotional_reaction": "ER", "interpretation": "IP", "exploration": "EX"}  # as EPITOME abbreviates them
PER_CENT = "\u202f%"  # a narrow no-break space between


def number(value: Any) -> float | None:
    """``value`` as a finite float, or None where it is absent, nan, infinite or no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def fixed(value: Any, digits: int = 2) -> str:
    """``-0.315`` -> ``0.32`` after a real minus sign, no negative zero."""
    x = number(value)
    if x is None:
        return UNDEFINED
    text = round_half_up(abs(x), digits)
    return text if x >= 0 or float(text) == 0 else MINUS + text


def signed(value: Any, digits: int = 2) -> str:
    """As :func:`fixed`, with a plus sign for what is above 0."""
    x = number(value)
    text = fixed(x, digits)
    return f"+{text}" if x is not None and x > 0 and float(text) != 0 else text


def percent(value: Any) -> str:
    """``0.726`` -> ``73 %``."""
    x = number(value)
    return UNDEFINED if x is None else fixed(100 * x, 0) + PER_CENT


def p_value(value: Any) -> str:
    """``0.0004`` -> ``< 0.001``; else three decimals."""
    x = number(value)
    return "< 0.001" if x is not None and x < 0.001 else fixed(x, 3)


def times(value: Any) -> str:
    """``2.43`` -> ``2.43`` after a multiplication sign."""
    return UNDEFINED if number(value) is None else TIMES + fixed(value)


def between(estimate: Estimate, style: str = "fixed") -> str:
    """The interval alone: ``0.91 to 0.95``; empty where either end is undefined."""
    if estimate.lo is None or estimate.hi is None:
        return ""
    write = {"fixed": fixed, "percent": percent, "signed": signed, "times": times}[style]
    return f"{write(estimate.lo).removesuffix(PER_CENT)} to {write(estimate.hi)}"


def words(identifier: Any) -> str:
    """``emotional_reaction`` -> ``emotional reaction``."""
    return str(identifier).replace("_", " ")


def middle(text: str, longest: int = 34) -> str:
    """The text, cut in its middle where it is longer: names that begin alike still differ."""
    keep = (longest - 1) // 2
    return text if len(text) <= longest else f"{text[: longest - 1 - keep]}…{text[-keep:]}"


def beginning(text: str, longest: int, whole: str) -> str:
    """The text; a longer one is cut after ``longest`` characters, and says how long it is and where it stands whole."""
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters, whole in {whole})"


def count(value: Any) -> str:
    """``12345`` -> ``12,345``."""
    x = number(value)
    return UNDEFINED if x is None else f"{round(x):,}"


def drawn_scale(scale: Scale) -> dict[str, Any]:
    """Return how levels beside a reply are drawn: (short, in words) of each dimension, and the ends of the scale."""
    names = [(_SHORT.get(name, name.replace("_", " ")), name.replace("_", " ")) for name in scale.dimensions]
    return {"names": names, "low": scale.low, "high": scale.high}
