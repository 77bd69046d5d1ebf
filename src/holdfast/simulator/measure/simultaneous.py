"""Every trained against every untrained candidate at once: intervals that all hold together in 95 % of studies.

Naming the best of several after the fact makes its lead look larger than it is; intervals that hold for all pairs
together allow any of them to be picked. All pairs share their resamples of personas, and the largest of their
standardised deviations gives one factor for all (max-t; Romano & Wolf, Econometrica 73, 2005; Hothorn, Bretz &
Westfall, Biometrical Journal 50, 2008)::

    T = max over pairs of |difference resampled - difference| / SE        limits = difference -+ (95 % of T) SE

With few personas T is too small by about sqrt((c - 1) / c) z / t for c of them, as in :mod:`bootstrap`; it is made
larger by as much.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import Field

from holdfast.simulator.measure.arrays import Floats, divide
from holdfast.simulator.measure.bootstrap import DRAWS, FEWEST, draw_weights
from holdfast.simulator.measure.estimates import Count, Estimate, Number, ResultsPart, Share

TINY = 1e-12


class SimultaneousDifference(ResultsPart):
    """a - b, for a trained and an untrained candidate before the same users, among all such pairs."""

    a: str
    b: str
    difference: Estimate = Field(description="Limits hold for all pairs together; null below five personas.")
    p: Share = Field(description="Two-sided, adjusted for all pairs.")
    smallest: Number = Field(
        description="Smallest true difference that this pair would have shown in four studies of five, unadjusted: "
        "(t.975 + t.80) SE."
    )
    personas: Count


def compare_at_once(
    trained: Sequence[str],
    untrained: Sequence[str],
    *,
    values: Mapping[str, Mapping[str, float]],
    personas: Mapping[str, str],
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> list[SimultaneousDifference]:
    """Compare every pair of a ``trained`` and an ``untrained`` candidate.

    Args:
        values: Candidate -> user's key -> value; nan or absent where there is none.
        personas: User's key -> persona, the cluster.
    """
    pairs = [(a, b) for a in trained for b in untrained]
    names = {name: code for code, name in enumerate(sorted(set(personas.values())))}
    totals, counts = (np.zeros((len(names), len(pairs))) for _ in range(2))
    for column, (a, b) in enumerate(pairs):
        for user in sorted(values[a].keys() & values[b].keys()):
            difference = values[a][user] - values[b][user]
            if not np.isnan(difference):
                totals[names[personas[user]], column] += difference
                counts[names[personas[user]], column] += 1
    means = divide(totals.sum(axis=0), counts.sum(axis=0))
    weights = draw_weights(len(names), rng, draws)
    resampled = divide(weights @ totals, weights @ counts)
    clusters = (counts > 0).sum(axis=0)
    errors = _errors(totals, counts, means)
    tested = clusters >= FEWEST
    errors = np.where(tested & (errors < TINY), TINY, errors)  # where all differ alike, the difference is exact
    largest = _largest(resampled, means, errors, tested)
    return [
        _pair(pairs[k], means[k], errors[k], int(clusters[k]), largest if tested[k] else None)
        for k in range(len(pairs))
    ]


def strongest(pairs: Sequence[SimultaneousDifference], a: str, b: str) -> SimultaneousDifference | None:
    """Return the comparison of ``a`` and ``b``; None where there is none."""
    return next((pair for pair in pairs if (pair.a, pair.b) == (a, b)), None)


def _errors(totals: Floats, counts: Floats, means: Floats) -> Floats:
    """Standard error of each mean, clustered: residual sums of clusters, with c / (c - 1)."""
    residual = np.where(counts > 0, totals - counts * np.nan_to_num(means), 0.0)
    clusters = np.maximum((counts > 0).sum(axis=0), 2)
    spread = (residual**2).sum(axis=0) * clusters / (clusters - 1)
    return np.nan_to_num(divide(np.sqrt(spread), counts.sum(axis=0)))


def _largest(resampled: Floats, means: Floats, errors: Floats, tested: np.ndarray) -> Floats:
    """(draws,) the largest standardised deviation of any tested pair in each resample, sorted."""
    if not tested.any():
        return np.zeros(0)
    deviation = np.abs(resampled[:, tested] - means[tested]) / errors[tested]
    return np.sort(np.nan_to_num(deviation).max(axis=1))


def _pair(
    names: tuple[str, str], mean: float, error: float, personas: int, largest: Floats | None
) -> SimultaneousDifference:
    from scipy.special import ndtri, stdtrit  # here, so that importing this module stays instant

    a, b = names
    if largest is None:
        undefined = Estimate(mean=mean, lo=None, hi=None)
        return SimultaneousDifference(a=a, b=b, difference=undefined, p=None, smallest=None, personas=personas)
    c = personas
    wider = float(stdtrit(c - 1, 0.975) / ndtri(0.975) * np.sqrt(c / (c - 1)))
    half = wider * float(np.quantile(largest, 0.95)) * error
    beyond = int((wider * largest >= abs(mean) / error).sum())
    smallest = float(stdtrit(c - 1, 0.975) + stdtrit(c - 1, 0.8)) * error
    return SimultaneousDifference(
        a=a,
        b=b,
        difference=Estimate(mean=mean, lo=mean - half, hi=mean + half),
        p=(1 + beyond) / (1 + len(largest)),
        smallest=smallest,
        personas=personas,
    )
