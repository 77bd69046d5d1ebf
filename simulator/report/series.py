"""Which candidate gets which colour and line style, and which two the headline sets against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.report.values import Estimate

COLOURS = 7  # slots 1-7 of the style sheet; slot 0 is the baseline's grey


@dataclass(frozen=True, slots=True)
class Series:
    """A candidate as a figure shows it. ``index`` is its place in the results, ``slot`` its colour and dash."""

    name: str
    index: int
    slot: int
    baseline: bool


@dataclass(frozen=True, slots=True)
class Cast:
    """All candidates of a study; ``best`` and ``rival`` are the two that the headline names, None where absent."""

    series: tuple[Series, ...]
    best: Series | None
    rival: Series | None

    def get(self, name: Any) -> Series | None:
        """The series of this name, or None."""
        return next((s for s in self.series if s.name == name), None)


def cast(results: Mapping[str, Any]) -> Cast:
    """Give every candidate its colour.

    Best: the highest adherence in the last quarter among all but the baseline. Rival: of the others but the baseline,
    the one with the lowest retention. Where the results name them (``headline.candidate``, ``headline.against``),
    that choice holds.
    """
    candidates: Mapping[str, Any] = results.get("candidates") or {}
    baseline = results.get("baseline")
    chosen = results.get("headline")
    chosen = chosen if isinstance(chosen, Mapping) else {}
    rest = [name for name in candidates if name != baseline]
    best = chosen.get("candidate")
    if best not in candidates:
        best = max(rest, key=lambda n: _or(_mean(candidates[n], "adherence_last_quarter"), -1.0), default=None)
    others = [name for name in rest if name != best]
    rival = chosen.get("against")
    if rival not in candidates or rival == best:
        rival = min(others, key=lambda n: _or(_mean(candidates[n], "retention"), 9.0), default=None)
    ranked = list(dict.fromkeys(name for name in (best, rival, *others) if name is not None))
    slots = {name: 1 + i % COLOURS for i, name in enumerate(ranked)} | {baseline: 0}
    series = tuple(Series(n, i, slots[n], n == baseline) for i, n in enumerate(candidates))
    by_name = {s.name: s for s in series}
    return Cast(series, by_name.get(best), by_name.get(rival))


def _mean(candidate: Mapping[str, Any], key: str) -> float | None:
    return Estimate.of(candidate.get(key)).mean


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
