"""Which candidate gets which colour and line style, and which two the headline sets against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.simulator.results.headline import choose
from holdfast.simulator.report.values import Estimate

COLOURS = 7  # slots 1-7 of the style sheet; slot 0 is the baseline's grey


@dataclass(frozen=True, slots=True)
class Series:
    """A candidate as a figure shows it. ``index`` is its place in the results, ``slot`` its colour and dash."""

    name: str
    index: int
    slot: int
    baseline: bool


@dataclass(frozen=True, slots=True)
class Palette:
    """All candidates of a study; ``best`` and ``rival`` are the two that the headline names, None where absent.

    ``best`` is the trained candidate where there is one, not necessarily the highest in every figure.
    """

    series: tuple[Series, ...]
    best: Series | None
    rival: Series | None

    def get(self, name: Any) -> Series | None:
        """The series of this name, or None."""
        return next((s for s in self.series if s.name == name), None)


def palette_of(results: Mapping[str, Any]) -> Palette:
    """Give every candidate its colour; the two that the headline names come first (see ``holdfast.simulator.results.headline``)."""
    candidates: Mapping[str, Any] = results.get("candidates") or {}
    baseline = results.get("baseline")
    if not candidates:
        return Palette((), None, None)
    ends = {n: {"adherence_last_quarter": {"mean": _end(c)}} for n, c in candidates.items()}
    best, rival = choose(ends, baseline if baseline in candidates else None)
    ranked = list(dict.fromkeys(n for n in (best, rival, *candidates) if n is not None and n != baseline))
    slots = {name: 1 + i % COLOURS for i, name in enumerate(ranked)} | {baseline: 0}
    series = tuple(Series(n, i, slots[n], n == baseline) for i, n in enumerate(candidates))
    by_name = {s.name: s for s in series}
    return Palette(series, by_name[best], by_name[rival] if rival is not None else None)


def _end(candidate: Mapping[str, Any]) -> float | None:
    return Estimate.of(candidate.get("adherence_last_quarter")).mean
