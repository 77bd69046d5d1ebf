"""Pairs of candidates compared at once: limits that all hold together in 95 % of studies, and p that agrees with them.

Naming the best of several after the fact makes its lead look larger than it is; limits that hold for all pairs
together allow any of them to be picked. All pairs share their resamples of personas, and the largest of their
standardised deviations gives one factor for all (max-t; Romano & Wolf, Econometrica 73, 2005; Hothorn, Bretz &
Westfall, Biometrical Journal 50, 2008)::

    T = max over pairs of |difference resampled - difference| / SE        limits = difference -+ (95 % of T) SE

With few personas T is too small, and its tail too short. For c of them each T is read as a normal deviate of
sqrt(c / (c - 1)) T and replaced by the deviate of t(c - 1) with the same tail: limits of a pair alone are then those of
the t test, as in :mod:`bootstrap`, and those of many pairs reach as far out as that tail does.

p is (1 + resamples whose T is at least as large as the pair's own) / (1 + resamples), and the 95 % of T is the value at
which this p passes .05: the limits leave out 0 exactly where p < .05.

A pair whose difference is the same in every persona has no part in T: it gets no limits, and the p of sign flips,
2^(1 - people), times the number of pairs (Bonferroni); 1 where the difference is 0.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from holdfast.simulator.measure.arrays import Floats, Ints, divide
from holdfast.simulator.measure.bootstrap import ALIKE, DRAWS, FEWEST, all_alike, draw_weights
from holdfast.simulator.measure.clustered import cluster_errors
from holdfast.simulator.measure.pairwise import ALPHA, Family, Metric, PairResults, by_signs
from holdfast.simulator.measure.power import variance

FARTHEST = 30.0  # a normal deviate whose tail is still a number


def compare_at_once(
    pairs: Sequence[tuple[str, str]],
    *,
    values: Mapping[str, Mapping[str, float]],
    personas: Mapping[str, str],
    metric: Metric,
    family: Family,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> list[PairResults]:
    """Compare every pair (a, b): a - b.

    Args:
        values: Candidate -> user's key -> value; nan or absent where there is none.
        personas: User's key -> persona, the cluster.
        metric, family: What the values are, and which pairs these are.
    """
    names = {name: code for code, name in enumerate(sorted(set(personas.values())))}
    differences = [_differences(values[a], values[b], personas, names) for a, b in pairs]
    totals, counts = (np.zeros((len(names), len(pairs))) for _ in range(2))
    for column, (difference, codes) in enumerate(differences):
        totals[:, column] = np.bincount(codes, difference, len(names))
        counts[:, column] = np.bincount(codes, minlength=len(names))
    means = divide(totals.sum(axis=0), counts.sum(axis=0))
    people = (counts > 0).sum(axis=0)
    errors, tested = cluster_errors(totals, counts, means), people >= FEWEST
    varied, tests = tested & (errors > ALIKE), int(tested.sum())
    weights = draw_weights(len(names), rng, draws)
    largest = _largest(divide(weights @ totals, weights @ counts), means, errors, varied)
    return [
        PairResults(
            a=a,
            b=b,
            metric=metric,
            family=family,
            pairs=tests,
            mean=float(means[k]),
            n=len(differences[k][0]),
            people=int(people[k]),
            variance=variance(*differences[k]),
            **(
                _tested(float(means[k]), float(errors[k]), int(people[k]), largest)
                if varied[k]
                else _without_limits(float(means[k]), int(people[k]), tests)
            ),
        )
        for k, (a, b) in enumerate(pairs)
    ]


def _differences(
    a: Mapping[str, float], b: Mapping[str, float], personas: Mapping[str, str], names: Mapping[str, int]
) -> tuple[Floats, Ints]:
    """Return the differences of users that have a value on both sides, and the code of each user's persona."""
    users = [user for user in sorted(a.keys() & b.keys()) if not math.isnan(a[user] - b[user])]
    codes = np.array([names[personas[user]] for user in users], dtype=np.int64)
    return np.array([a[user] - b[user] for user in users], dtype=np.float64), codes


def _largest(resampled: Floats, means: Floats, errors: Floats, tested: np.ndarray) -> Floats:
    """(draws,) the largest standardised deviation of any tested pair in each resample, the largest first."""
    if not tested.any():
        return np.zeros(0)
    deviation = np.abs(resampled[:, tested] - means[tested]) / errors[tested]
    return np.sort(np.nan_to_num(deviation).max(axis=1))[::-1]


def _without_limits(mean: float, people: int, tests: int) -> dict[str, Any]:
    """Return what is said of a pair whose people are too few, or all differ alike."""
    p = 1.0 if abs(mean) <= ALIKE else min(1.0, tests * by_signs(people))
    reason = all_alike(people)
    return {"lo": None, "hi": None, "p": p if reason else None, "smallest": None, "reason": reason}


def _tested(mean: float, error: float, people: int, largest: Floats) -> dict[str, Any]:
    """Return limits, p and the smallest difference of a pair."""
    from scipy.special import ndtr, stdtrit  # here, so that importing this module stays instant

    normal = np.minimum(largest * math.sqrt(people / (people - 1)), FARTHEST)
    halves = -stdtrit(people - 1, ndtr(-normal)) * error  # half widths that each resample would ask for
    allowed = max(0, math.ceil(ALPHA * (1 + len(halves))) - 2)  # so many may reach the mean where p < .05
    half = float(halves[allowed])
    smallest = half + float(stdtrit(people - 1, 0.8)) * error
    p = float((1 + (halves >= abs(mean)).sum()) / (1 + len(halves)))
    return {"lo": mean - half, "hi": mean + half, "p": p, "smallest": smallest}
