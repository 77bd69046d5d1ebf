"""Turns until an episode's first lasting violation: Kaplan-Meier with right-censoring."""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from holdfast.simulator.measure.arrays import Bools, Floats, Ints
from holdfast.simulator.measure.bootstrap import FEWEST
from holdfast.simulator.measure.decay.retention import first_turns
from holdfast.simulator.measure.estimates import Count, ResultsPart, Share, TurnNumber

FRACTION = 0.8
RUN = 3
Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Survival:
    """Share of episodes without a lasting violation, by turn (arrays of one length, turns 1, 2, ...).

    ``lo``, ``hi``: 95 % log-log band from Greenwood's variance, nan where the share is 1 or 0, or
    under five people are behind it. The band treats episodes
    as independent: it ignores personas, and is too narrow where they differ. ``median``: the first turn at which the
    share is .5 or less; nan where it never is. ``dropped``: episodes shorter than one run.
    """

    turn: Ints
    share: Floats
    lo: Floats
    hi: Floats
    at_risk: Ints
    events: Ints
    median: float
    dropped: int


def first_violations(
    values: Floats, fraction: float = FRACTION, run: int = RUN, threshold: float | None = None
) -> tuple[Ints, Bools]:
    """Return when each episode's first lasting violation began, or until when it is known to have had none.

    A lasting violation is ``run`` turns in a row with adherence below a limit; it happens at the first of them. The
    limit is ``fraction`` of the episode's own mean over its first two turns, so that "holds" compares a candidate
    with how it began, and neither a rater that scores everything low nor a candidate that was never good counts as
    decay (the level is reported beside it); or, where ``threshold`` is given, that adherence for all.
    Three turns, because one poor reply happens to anyone, and two in a row often when replies vary.

    Args:
        values: Adherence, episodes x turns, nan after the end.

    Returns:
        Turn (1-based, 0 for an episode shorter than one run) and whether it happened. An episode without a violation is
        censored at the last turn where a run could have begun, ``run`` - 1 before its end.
    """
    limit = fraction * first_turns(values) if threshold is None else np.full(len(values), threshold)
    below = values < limit[:, None]  # nan is never below
    padded = np.pad(below, ((0, 0), (0, run - 1)))  # a run that the end cuts short is none
    starts = np.asarray(np.lib.stride_tricks.sliding_window_view(padded, run, axis=1).all(axis=-1))
    happened: Bools = np.any(starts, axis=1)
    there = ~np.isnan(values)
    length = np.where(there.any(axis=1), values.shape[1] - np.argmax(there[:, ::-1], axis=1), 0)
    seen_until = np.maximum(length - run + 1, 0)
    return np.where(happened, np.argmax(starts, axis=1) + 1, seen_until).astype(np.int64), happened


def kaplan_meier(time: Ints, happened: Bools, *, people: int = FEWEST) -> Survival:
    """Return the survival curve (Kaplan & Meier 1958) for turns 1 up to the last with an episode at risk.

    ``time``: turns, 1-based, of the event or of the censoring (episodes); those with time 0 are dropped and counted.
    ``people``: whose conversations they are; no limits below five.
    Share after turn t: product over turns of 1 - events / at risk; an episode censored at t is still at risk at t.
    Variance by Greenwood (1926); log-log limits share^exp(+-z se / (share log share)) (Kalbfleisch & Prentice 1980).
    """
    known = time > 0
    time, happened = time[known], happened[known]
    turn = np.arange(1, (int(time.max()) if len(time) else 0) + 1)
    ending = np.bincount(time, minlength=len(turn) + 1)[1:]
    at_risk = np.cumsum(ending[::-1])[::-1]
    events = np.bincount(time[happened], minlength=len(turn) + 1)[1:]
    share = np.asarray(np.cumprod(1 - events / at_risk), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # shares of 0 and 1 have no log-log band: nan
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        inside = (share > 0) & (share < 1) & (people >= FEWEST)
        width = Z95 * np.sqrt(greenwood) / np.log(share)
        lo, hi = (np.where(inside, share ** np.exp(side), np.nan) for side in (-width, width))
    fallen = np.flatnonzero(share <= 0.5 + 1e-12)
    return Survival(
        turn=turn,
        share=share,
        lo=lo,
        hi=hi,
        at_risk=at_risk,
        events=events,
        median=float(turn[fallen[0]]) if len(fallen) else float("nan"),
        dropped=int((~known).sum()),
    )


class SurvivalPoint(ResultsPart):
    """Kaplan-Meier share of conversations that still hold, with 95 % log-log limits (not clustered)."""

    turn: TurnNumber
    share: Share
    lo: Share
    hi: Share
    at_risk: Count
    events: Count = Field(description="Conversations that broke at this turn.")

    @property
    def mean(self) -> float | None:
        """The share, where charts read a value."""
        return self.share

    @property
    def n(self) -> int:
        """Conversations at risk, where charts read a count."""
        return self.at_risk
