"""What the page of a log says first, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.simulator.report.series import Series
from holdfast.simulator.report.values import Estimate, between, fixed, percent

WORDS = {"adherence": "adherence", "expressed": "expressed empathy"}


@dataclass(frozen=True, slots=True)
class LogHeadline:
    """``lead``, then ``claims``: (group, figure, interval), highest first; ``rest``: groups that are not named."""

    lead: str
    claims: tuple[tuple[Series, str, str], ...]
    rest: int


def main_measure(results: Mapping[str, Any]) -> str:
    """The measure that the page leads with; "" where no reply was rated."""
    groups = results["groups"].values()
    return next((name for name in WORDS if any(name in group["measures"] for group in groups)), "")


def log_headline(results: Mapping[str, Any], series: Sequence[Series]) -> LogHeadline:
    """Retention of the leading measure, or the final emotion where replies have no text; the two extremes of many."""
    groups: Mapping[str, Any] = results["groups"]
    main = main_measure(results)
    if main:
        lead = f"From the first to the last quarter of a conversation, {WORDS[main]} kept"
        found = [(s, Estimate.of((groups[s.name]["measures"].get(main) or {}).get("retention"))) for s in series]
        written = [(s, e.mean, percent(e.mean), between(e, "percent")) for s, e in found if e.mean is not None]
    else:
        lead = "The emotion at the end, on a scale from 0 to 100, was"
        found = [(s, Estimate.of(groups[s.name]["final_emotion"])) for s in series]
        written = [(s, e.mean, fixed(e.mean, 1), _interval(e)) for s, e in found if e.mean is not None]
    ranked = [(s, text, inside) for s, _, text, inside in sorted(written, key=lambda one: -one[1])]
    named = ranked if len(ranked) <= 2 else [ranked[0], ranked[-1]]
    return LogHeadline(lead, tuple(named), len(ranked) - len(named))


def _interval(estimate: Estimate) -> str:
    if estimate.lo is None or estimate.hi is None:
        return ""
    return f"{fixed(estimate.lo, 1)} to {fixed(estimate.hi, 1)}"
