"""Replies that are disqualified or unrated: how many, why, and at which turns; and what the unrated ones could change.

A disqualified reply is known to fail and adheres 0. Of an unrated one nothing is known, so that a figure lies between
what it would be if all unrated replies adhered 0 (the worst case) and if all adhered 1 (the best).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from holdfast.agents.raters.protocol import Rating
from holdfast.simulator.measure.arrays import present_mean
from holdfast.simulator.measure.bootstrap import Resamples, mean_band
from holdfast.simulator.measure.decay.retention import quarter_means, retention
from holdfast.simulator.measure.estimates import MeanEstimate, curve, estimate
from holdfast.simulator.records import TurnRecord
from holdfast.simulator.results.candidate_model import BoundsResults, CaseResults
from holdfast.simulator.results.context import MeasuredCandidate

WORST, BEST = 0.0, 1.0  # adherence of an unrated reply at the least and at the most


def unrated(ratings: Sequence[Rating]) -> dict[str, int]:
    """Count the replies without any value, by reason, the most frequent first."""
    return dict(Counter(rating.missing for rating in ratings if rating.missing is not None).most_common())


def failures_of(ratings: Sequence[Rating]) -> dict[str, int]:
    """Count the disqualified replies by failure, the most frequent first."""
    return dict(Counter(rating.disqualified for rating in ratings if rating.disqualified is not None).most_common())


def stopped_of(turns: Sequence[TurnRecord], length: int) -> dict[str, Any]:
    """Count a candidate's disqualified and unrated replies, in all and at each of ``length`` turns (turn 1 first)."""
    primary = [turn.primary for turn in turns]
    by_failure: dict[str, list[int]] = {failure: [0] * length for failure in failures_of(primary)}
    by_reason: dict[str, list[int]] = {reason: [0] * length for reason in unrated(primary)}
    for turn in turns:
        if turn.primary.disqualified is not None:
            by_failure[turn.primary.disqualified][turn.turn - 1] += 1
        elif turn.primary.missing is not None:
            by_reason[turn.primary.missing][turn.turn - 1] += 1
    return {
        "disqualified": {failure: sum(counts) for failure, counts in by_failure.items()},
        "disqualified_by_turn": by_failure,
        "unrated": {reason: sum(counts) for reason, counts in by_reason.items()},
        "unrated_by_turn": by_reason,
    }


def bounds_of(measured: MeasuredCandidate, resamples: Resamples) -> BoundsResults | None:
    """Return the figures if all unrated replies adhered 0, and if all adhered 1; None where every reply is known."""
    if measured.trusts_all:
        return None
    return BoundsResults(worst=_case(measured, WORST, resamples), best=_case(measured, BEST, resamples))


def _case(measured: MeasuredCandidate, value: float, resamples: Resamples) -> CaseResults:
    near = measured.if_unrated(value)
    first, last = quarter_means(near, measured.arrays.planned)
    return CaseResults(
        adherence=estimate(present_mean(near, axis=1), resamples),
        adherence_by_turn=curve(mean_band(near, resamples)),
        adherence_last_quarter=estimate(last, resamples),
        retention=MeanEstimate.model_validate(retention(first, last, resamples)),
    )
