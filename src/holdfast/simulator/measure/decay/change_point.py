"""One change of level in the mean curve: whether there is one, where, and how certain its place is.

The place is the split of the turns that leaves the least squared distance to one level before and one after it
(Hinkley, Biometrika 57, 1970), each turn weighted by its conversations. Turns of one conversation are alike, so neither
the test nor the interval shuffles turns: whole personas are the unit.

* p: under "the curve is level" a persona's deviations from its conversations' own means may change sign as a whole;
  the largest gain of any split is compared with what sign flips give (as the paired tests do).
* interval of the place: the place in resamples of personas, 2.5 % to 97.5 %. It is a whole number of turns, so it
  covers at least 95 % where the place is clear, and about that where it is not.

A straight decline has a best split too: read the place together with the slope and the curve.
"""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from holdfast.core.wording import how_many
from holdfast.simulator.measure.arrays import Floats, Ints, present_mean
from holdfast.simulator.measure.bootstrap import ALIKE, DRAWS, FEWEST, all_alike, draw_weights
from holdfast.simulator.measure.estimates import Estimate, Number, ResultsPart, Share
from holdfast.simulator.measure.pairwise import FLIPS
from holdfast.simulator.measure.sums import ClusterSums

MIN_SEGMENT = 2  # turns on either side
ALPHA = 0.05


class ChangePointResults(ResultsPart):
    """One change of level of the mean curve within conversations."""

    turn: Number = Field(description="First turn of the new level; null: see note.")
    lo: Number
    hi: Number
    before: Number
    after: Number
    p: Share = Field(description="Of a level curve, by flipping the sign of whole personas' deviations.")
    note: str = Field(description="Why there is no change point, or no limits of it; or empty.")

    @property
    def estimate(self) -> Estimate:
        """The turn with its limits."""
        return Estimate(mean=self.turn, lo=self.lo, hi=self.hi, reason=self.note if self.turn is not None else "")


def change_point(
    values: Floats, groups: Sequence[str], rng: np.random.Generator, *, draws: int = DRAWS, flips: int = FLIPS
) -> ChangePointResults:
    """Find the change point. ``values``: episodes x turns, nan where missing; ``groups``: the cluster of each episode.

    Levels are those within conversations: each conversation's mean is subtracted and their overall mean added, so that
    dropout does not make a step. Undefined below 4 turns or 2 clusters.
    """
    there = ~np.isnan(values)
    used = there.any(axis=0)
    turns = np.flatnonzero(used) + 1
    codes = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    clusters = len(np.unique(codes[there.any(axis=1)]))
    if len(turns) < 2 * MIN_SEGMENT or clusters < FEWEST:
        what = how_many(len(turns), "turn") if len(turns) < 2 * MIN_SEGMENT else how_many(clusters, "persona")
        need = f"{2 * MIN_SEGMENT} turns" if len(turns) < 2 * MIN_SEGMENT else f"{FEWEST} personas"
        return ChangePointResults.undefined(note=f"undefined: {what} measured, {need} needed")
    own = present_mean(values, axis=1)
    summed = ClusterSums.of((values - own[:, None])[:, used], codes, int(codes.max()) + 1)
    sums, counts = summed.totals, summed.counts
    total = counts.sum(axis=0)
    gain, place = best_split(sums.sum(axis=0)[None] / total, total[None])
    signs = rng.choice(np.array([-1.0, 1.0]), size=(flips, len(sums)))
    by_chance, _ = best_split(signs @ sums / total, np.broadcast_to(total, (flips, len(total))))
    p = float((1 + (by_chance >= gain[0] * (1 - 1e-9)).sum()) / (1 + flips))
    if not p <= ALPHA:
        return ChangePointResults.undefined(p=p, note=f"no change point: a level curve is not refused (p = {p:.2f})")
    weights = draw_weights(len(sums), rng, draws)
    drawn = weights @ counts
    curves = np.divide(weights @ sums, drawn, out=np.zeros_like(drawn), where=drawn > 0)
    _, places = best_split(curves, drawn)
    lo, hi = np.quantile(turns[places], [0.025, 0.975], method="inverted_cdf")
    note = all_alike(clusters) if np.ptp(curves, axis=0).max() <= ALIKE else ""
    level, split = float(own[~np.isnan(own)].mean()), int(place[0])
    before, after = (
        level + float(np.average((sums.sum(axis=0) / total)[part], weights=total[part]))
        for part in (slice(None, split), slice(split, None))
    )
    place_of = {"turn": float(turns[split]), "lo": None if note else float(lo), "hi": None if note else float(hi)}
    return ChangePointResults(**place_of, before=before, after=after, p=p, note=note)


def best_split(curves: Floats, weights: Floats) -> tuple[Floats, Ints]:
    """Return for each row how much squared distance the best split saves, and the first column of its second part.

    ``curves``, ``weights``: rows x turns, weights from 0. Splitting n into parts of weight w1, w2 and means m1, m2
    saves w1 w2 / (w1 + w2) (m1 - m2)^2; both parts have at least two columns.
    """
    mass = weights.cumsum(axis=1)
    sums = (weights * curves).cumsum(axis=1)
    first = slice(MIN_SEGMENT - 1, curves.shape[1] - MIN_SEGMENT)
    w1, s1 = mass[:, first], sums[:, first]
    w2, s2 = mass[:, -1:] - w1, sums[:, -1:] - s1
    both = (w1 > 0) & (w2 > 0)
    difference = np.divide(s1, w1, out=np.zeros_like(s1), where=both) - np.divide(
        s2, w2, out=np.zeros_like(s2), where=both
    )
    gain = np.where(both, w1 * w2 / np.maximum(mass[:, -1:], 1e-300) * difference**2, 0.0)
    place = gain.argmax(axis=1)
    return np.asarray(gain[np.arange(len(gain)), place]), np.asarray(place + MIN_SEGMENT, dtype=np.int64)
