"""Replies that are disqualified or unrated: how many, why, and at which turns; and what the unrated ones could change.

A disqualified reply is known to fail and adheres 0. Of an unrated one nothing is known, so that a figure lies between
what it would be if all unrated replies adhered 0 (the worst case) and if all adhered 1 (the best).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from holdfast.agents.raters.protocol import Rating
from holdfast.core.wording import how_many
from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.measure.bootstrap import Resamples, mean_band, mean_interval
from holdfast.simulator.measure.decay.retention import quarter_means, retention
from holdfast.simulator.measure.estimates import MeanEstimate, curve, estimate
from holdfast.simulator.measure.pairwise import align
from holdfast.simulator.records import TurnRecord
from holdfast.simulator.results.candidate_model import BoundsResults, CaseResults
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext

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
    if not measured.arrays.unrated.any():
        return None
    return BoundsResults(worst=_case(measured, WORST, resamples), best=_case(measured, BEST, resamples))


def _case(measured: MeasuredCandidate, value: float, resamples: Resamples) -> CaseResults:
    near = _filled(measured, value)
    first, last = quarter_means(near, measured.arrays.planned)
    return CaseResults(
        adherence=estimate(present_mean(near, axis=1), resamples),
        adherence_by_turn=curve(mean_band(near, resamples)),
        adherence_last_quarter=estimate(last, resamples),
        retention=MeanEstimate.model_validate(retention(first, last, resamples)),
    )


def _filled(measured: MeasuredCandidate, value: float) -> Floats:
    return np.where(measured.arrays.unrated, value, measured.adherence)


def undecided(first: MeasuredCandidate, second: MeasuredCandidate, context: ResultsContext) -> str:
    """Say why it is undecided which of two candidates adheres more in the last quarter; "" where unrated replies do
    not matter: the worst case of one beside the best of the other leads to the same verdict as what was rated."""
    unknown = int(first.arrays.unrated.sum() + second.arrays.unrated.sum())
    if not unknown:
        return ""
    rows, others = align(first.arrays.user_keys, second.arrays.user_keys)
    resamples = context.resamples([first.arrays.groups[row] for row in rows], "undecided")

    def verdict(own: Floats, theirs: Floats) -> int:
        (_, last), (_, their_last) = (
            quarter_means(own, first.arrays.planned),
            quarter_means(theirs, second.arrays.planned),
        )
        difference = mean_interval(last[rows] - their_last[others], resamples)
        return int(difference.lo > 0) - int(difference.hi < 0)

    verdicts = {
        verdict(first.adherence, second.adherence),
        verdict(_filled(first, WORST), _filled(second, BEST)),
        verdict(_filled(first, BEST), _filled(second, WORST)),
    }
    if len(verdicts) == 1:
        return ""
    return f"{how_many(unknown, 'unrated reply', 'unrated replies')} could turn it"
