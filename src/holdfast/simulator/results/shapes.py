"""How measures stand in results.json: intervals, curves by turn, survival; and what JSON has no word for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from holdfast.simulator.measure.bootstrap import Band, Interval
from holdfast.simulator.measure.decay.survival import Survival


def as_dict(interval: Interval) -> dict[str, float]:
    """``{mean, lo, hi, n}``."""
    return {"mean": interval.mean, "lo": interval.lo, "hi": interval.hi, "n": interval.n}


def by_turn(band: Band) -> list[dict[str, float]]:
    """``[{turn, mean, lo, hi, n}]`` for the turns that took place."""
    return [{"turn": turn + 1, **as_dict(band.at(turn))} for turn in np.flatnonzero(band.n > 0).tolist()]


def plain(value: Any) -> Any:
    """``value`` as JSON takes it: mappings, lists, words and numbers; nan and infinities become None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def survival_rows(held: Survival) -> list[dict[str, float]]:
    """``[{turn, share, lo, hi, at_risk}]``."""
    columns = zip(held.turn, held.share, held.lo, held.hi, held.at_risk, strict=True)
    return [{"turn": t, "share": share, "lo": lo, "hi": hi, "at_risk": n} for t, share, lo, hi, n in columns]
