"""What the page of a log says first, in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.simulator.logs.model import LogResults
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.report.series import Series
from holdfast.simulator.report.values import between, fixed, percent

WORDS = {"adherence": "adherence", "expressed": "expressed empathy"}


@dataclass(frozen=True, slots=True)
class LogHeadline:
    """``lead``, then ``claims``: (group, figure, interval), highest first; ``rest``: groups that are not named."""

    lead: str
    claims: tuple[tuple[Series, str, str], ...]
    rest: int


def log_headline(results: LogResults, series: Sequence[Series]) -> LogHeadline:
    """Retention of the leading measure, or the final emotion where replies have no text; the two extremes of many."""
    main, groups = results.main_measure, [(s, results.groups[s.name]) for s in series]
    if main:
        lead = f"From the first to the last quarter of a conversation, {WORDS[main]} kept"
        kept = [(s, group.measures[main].retention) for s, group in groups if main in group.measures]
        written = [(s, e.mean, percent(e.mean), between(e, "percent")) for s, e in kept if e.mean is not None]
    else:
        lead = "The emotion at the end, on a scale from 0 to 100, was"
        ends = [(s, group.final_emotion) for s, group in groups if group.final_emotion is not None]
        written = [(s, e.mean, fixed(e.mean, 1), _interval(e)) for s, e in ends if e.mean is not None]
    ranked = [(s, text, inside) for s, _, text, inside in sorted(written, key=lambda row: -row[1])]
    named = ranked if len(ranked) <= 2 else [ranked[0], ranked[-1]]
    return LogHeadline(lead, tuple(named), len(ranked) - len(named))


def _interval(estimate: Estimate) -> str:
    if estimate.lo is None or estimate.hi is None:
        return ""
    return f"{fixed(estimate.lo, 1)} to {fixed(estimate.hi, 1)}"
