"""How long the pattern holds where users may leave: two bounds, and competing risks.

Kaplan-Meier assumes that censored conversations would have gone on like the others. A user who leaves because the
candidate failed is *informative* censoring. What would have happened is unknown, so the truth is bracketed by two
extremes, and both causes are shown as competing risks:

* leaving as censoring: those who left would have done as those who stayed (the upper bound, where leaving indicates
  failure);
* leaving as an event: all of them would have broken right there (the lower bound);
* cumulative incidence by cause (Aalen & Johansen, Scandinavian Journal of Statistics 5, 1978): the share of all
  conversations that broke, and the share that was left, by turn; the two and the lower bound add up to 1.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from holdfast.simulator.measure.arrays import Bools, Floats, Ints
from holdfast.simulator.measure.bootstrap import FEWEST
from holdfast.simulator.measure.decay.survival import Z95, SurvivalPoint, first_violations, kaplan_meier
from holdfast.simulator.measure.estimates import Count, ResultsPart, Share, TurnNumber

BROKEN, LEFT = 1, 2


@dataclass(frozen=True, slots=True)
class Incidence:
    """Cumulative share of conversations that ended by one cause (arrays of one length, turns 1, 2, ...).

    With 95 % log-log limits from the delta method's variance; nan where the share is 0 or 1.
    """

    turn: Ints
    share: Floats
    lo: Floats
    hi: Floats


class IncidencePoint(ResultsPart):
    """Share of conversations that ended by one cause up to a turn (Aalen-Johansen), with 95 % log-log limits."""

    turn: TurnNumber
    share: Share
    lo: Share
    hi: Share


class LeavingResults(ResultsPart):
    """Survival of the pattern with users who leave told apart: their leaving is informative censoring."""

    n: Count
    broken: Count = Field(description="Conversations with a lasting violation.")
    left: Count = Field(description="Left by their user before any.")
    dropped: Count = Field(description="Too short to judge.")
    survival_leaving_as_censoring: list[SurvivalPoint] = Field(
        description="As if those who left would have fared as those who stayed."
    )
    survival_leaving_as_event: list[SurvivalPoint] = Field(
        description="As if all who left would have broken right there."
    )
    incidence_broken: list[IncidencePoint]
    incidence_left: list[IncidencePoint]


def leaving(values: Floats, left: Bools, *, threshold: float | None = None, people: int = FEWEST) -> LeavingResults:
    """Estimate survival of the pattern with leaving as a second cause.

    ``values``: adherence, episodes x turns, nan after the end; ``left``: episodes that their user ended. A violation is
    that of :func:`~holdfast.simulator.measure.decay.survival.first_violations` (``threshold``: see there). An episode
    that was left counts at the last turn up to which the pattern is known to have held, turn 1 if shorter than a run.
    ``people``: whose conversations they are; no limits below five.
    """
    time, happened = first_violations(values, threshold=threshold)
    cause = np.where(happened, BROKEN, np.where(left, LEFT, 0)).astype(np.int64)
    known_until = np.where(cause == LEFT, np.maximum(time, 1), time)
    known_until = np.where(np.isnan(values).all(axis=1), 0, known_until)  # a conversation without a turn is not judged
    judged = known_until > 0
    survivals = [kaplan_meier(time, happened, people=people), kaplan_meier(known_until, cause > 0, people=people)]
    as_censoring, as_event = (SurvivalPoint.rows_of(survival) for survival in survivals)
    incidences = [cumulative_incidence(known_until, cause, of, people=people) for of in (BROKEN, LEFT)]
    broken, gone = (IncidencePoint.rows_of(incidence) for incidence in incidences)
    return LeavingResults(
        n=int(judged.sum()),
        broken=int((cause[judged] == BROKEN).sum()),
        left=int((cause[judged] == LEFT).sum()),
        dropped=int((~judged).sum()),
        survival_leaving_as_censoring=as_censoring,
        survival_leaving_as_event=as_event,
        incidence_broken=broken,
        incidence_left=gone,
    )


def cumulative_incidence(time: Ints, cause: Ints, of: int, *, people: int = FEWEST) -> Incidence:
    """Return the Aalen-Johansen share of cause ``of`` for turns 1 to the last at risk (statsmodels' CumIncidenceRight).

    ``time``: turns from 1, 0 is left out; ``cause``: 0 censored, 1, 2, ... the cause of the end;
    ``people``: whose conversations they are, no limits below five. Sum over turns of
    (share with no event so far) x (events of this cause / at risk).
    """
    from statsmodels.duration.survfunc import CumIncidenceRight  # here: it brings pandas

    known = time > 0
    time, cause = time[known], cause[known]
    turn = np.arange(1, (int(time.max()) if len(time) else 0) + 1)
    share = error = np.zeros(len(turn))
    if (cause == of).any():
        with np.errstate(divide="ignore", invalid="ignore"):  # no variance once nobody is left at risk: nan
            incidence = CumIncidenceRight(time, cause)
        place = np.searchsorted(incidence.times, turn, side="right") - 1  # -1: before the first
        share, error = (np.where(place >= 0, part[of - 1][place], 0.0) for part in (incidence.cinc, incidence.cinc_se))
    lo, hi = _log_log(share, error if people >= FEWEST else np.zeros(len(turn)))
    return Incidence(turn, share, lo, hi)


def _log_log(share: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Return share^exp(+-z se / (share log share)), which never leaves [0, 1] (Kalbfleisch & Prentice 1980)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = (share > 0) & (share < 1) & (error > 0)
        width = np.abs(Z95 * error / (share * np.log(share)))
        return np.where(inside, share ** np.exp(width), np.nan), np.where(inside, share ** np.exp(-width), np.nan)


def user_left(length: Ints, planned: Ints, closed: Bools) -> Bools:
    """Return which conversations their user ended: ``closed`` (neither failed nor running) before ``planned`` turns."""
    return np.asarray(closed & (length > 0) & (length < planned))
