"""The result in one sentence, and the figures on the cards below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.report.values import Estimate, between, fixed, percent, times


@dataclass(frozen=True, slots=True)
class Claim:
    """``name`` kept ``share`` of its adherence."""

    series: Series
    share: str
    interval: str


@dataclass(frozen=True, slots=True)
class FigureCard:
    """A key figure of the best candidate; ``beside``: the same of the rival, in words."""

    title: str
    value: str
    interval: str
    beside: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Headline:
    """``claims``: the best candidate's retention, then the rival's; empty where no retention is defined.

    ``ahead``: (higher, lower, by how much) in the last quarter on the same users; None where they were not compared.
    """

    turns: Any
    claims: tuple[Claim, ...]
    cards: tuple[FigureCard, ...]
    ahead: tuple[Series, Series, Estimate] | None = None


def headline(results: Mapping[str, Any], cast: Palette) -> Headline:
    """What the page says first. Without any candidate but the baseline it speaks of the baseline."""
    candidates: Mapping[str, Any] = results.get("candidates") or {}
    lead = cast.best
    named = [s for s in (lead, cast.rival) if s is not None]
    kept = [(s, Estimate.of(candidates[s.name].get("retention"))) for s in named]
    claims = tuple(Claim(s, percent(e.mean), between(e, "percent")) for s, e in kept if e.mean is not None)
    if lead is None:
        return Headline(results.get("turns"), (), ())
    of_lead = candidates[lead.name]
    of_rival = candidates[cast.rival.name] if cast.rival else None
    return Headline(results.get("turns"), claims, _cards(of_lead, of_rival, cast.rival), _ahead(results, cast))


def _ahead(results: Mapping[str, Any], cast: Palette) -> tuple[Series, Series, Estimate] | None:
    for row in results.get("pairwise") or ():
        a, b, found = cast.get(row.get("a")), cast.get(row.get("b")), Estimate.of(row)
        if row.get("metric") != "adherence_last_quarter" or a is None or b is None or found.mean is None:
            continue
        if {a, b} == {cast.best, cast.rival}:
            return (a, b, found) if found.mean >= 0 else (b, a, found.flipped)
    return None


def _cards(lead: Mapping[str, Any], rival: Mapping[str, Any] | None, series: Series | None) -> tuple[FigureCard, ...]:
    def beside(text: str) -> str:
        return f"{series.name}: {text}" if series is not None and rival is not None else ""

    other = rival or {}
    kept, reduced = Estimate.of(lead.get("retention")), Estimate.of(lead.get("gap_reduction"))
    factor, last = Estimate.of(lead.get("score_factor")), Estimate.of(lead.get("adherence_last_quarter"))
    first = Estimate.of(lead.get("adherence_first_two_turns"))
    return (
        FigureCard(
            "Retention",
            percent(kept.mean),
            between(kept, "percent"),
            beside(percent(Estimate.of(other.get("retention")).mean)),
            "adherence in the last quarter of the turns over that in the first",
        ),
        FigureCard(
            "First two turns → last quarter",
            f"{fixed(first.mean)} → {fixed(last.mean)}",
            between(last),
            beside(
                f"{fixed(Estimate.of(other.get('adherence_first_two_turns')).mean)} → "
                f"{fixed(Estimate.of(other.get('adherence_last_quarter')).mean)}"
            ),
            "adherence to the expected pattern, 0 to 1",
        ),
        FigureCard(
            "Gap reduction",
            percent(reduced.mean),
            between(reduced, "percent"),
            beside(percent(Estimate.of(other.get("gap_reduction")).mean)),
            "how much of the baseline's mean gap between desired and perceived is gone",
        ),
        FigureCard(
            "Score factor",
            times(factor.mean),
            between(factor, "times"),
            beside(times(Estimate.of(other.get("score_factor")).mean)),
            "mean adherence over that of the baseline",
        ),
    )
