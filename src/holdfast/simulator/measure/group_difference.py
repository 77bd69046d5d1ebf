"""The difference between two groups of conversations, where people may be in one group or in both.

A figure of a group is a ratio of sums over people: a mean over conversations (sum and count of their values), or a
slope within conversations (products with the turn, and squares of the turn). The difference is of two such ratios.

Limits: a bootstrap of people. Where nobody is in both groups, each group is resampled by itself (two samples); else all
people are resampled as one, each with what they have in either group, so that people in both are their own control.

p: a permutation test. People in both groups swap what they have in the two; those in one group only are dealt out anew.
The statistic is the difference over its standard error clustered by person, so that the test stays valid, for many
people, where the groups differ in spread or size (Chung & Romano, Annals of Statistics 41, 2013). Where all people are
in both groups with one conversation each it is the sign-flip test of :mod:`pairwise`.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdfast.simulator.measure.arrays import Bools, Floats, divide
from holdfast.simulator.measure.bootstrap import DRAWS, FEWEST, draw_weights, expanded_limits
from holdfast.simulator.measure.pairwise import FLIPS

Design = Literal["unpaired", "paired", "partly paired"]
CHUNK = 1000  # permutations held in memory at once


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """a - b. Limits and ``p`` (two-sided) are nan where ``note`` says why; ``people_both`` are in both groups."""

    mean: float
    lo: float
    hi: float
    p: float
    people_a: int
    people_b: int
    people_both: int
    design: Design
    note: str = ""


def group_difference(
    a: Floats, b: Floats, rng: np.random.Generator, draws: int = DRAWS, permutations: int = FLIPS
) -> GroupDifference:
    """Compare two groups. ``a``, ``b``: people x 2, top and bottom of the ratio that each person adds in either group.

    Row i is the same person in both; 0, 0 where they have nothing there. Nothing is tested below five people in a
    group, or where people do not differ at all.
    """
    there = np.stack([a[:, 1] > 0, b[:, 1] > 0])
    a, b, there = a[there.any(axis=0)], b[there.any(axis=0)], there[:, there.any(axis=0)]
    people = there.sum(axis=1)
    both = int(there.all(axis=0).sum())
    sums = np.stack([a, b])
    difference = float(np.subtract(*_ratios(sums.sum(axis=1))))
    design: Design = "unpaired" if not both else "paired" if there.all() else "partly paired"
    lo = hi = p = math.nan
    if people.min() < FEWEST:
        note = f"{people.min()} people: cannot be tested" if people.min() != 1 else "1 person: cannot be tested"
    elif _standard_errors(sums, there, np.zeros((1, len(a))))[1][0] <= 1e-9 * max(1.0, abs(difference)):
        note = "people do not differ: nothing to test"
    else:
        note = ""
        lo, hi = _limits(sums, there, rng, draws)
        p = _permutation_p(sums, there, rng, permutations)
    return GroupDifference(difference, lo, hi, p, int(people[0]), int(people[1]), both, design, note)


def _ratios(totals: Floats) -> Floats:
    """Return top / bottom of both groups. ``totals``: 2 groups x (top, bottom)."""
    return divide(totals[:, 0], totals[:, 1])


def _limits(sums: Floats, there: Bools, rng: np.random.Generator, draws: int) -> tuple[float, float]:
    """Return the 95 % limits; expanded for as many people as the smaller group has."""
    if there.all(axis=0).any():
        weights = draw_weights(there.shape[1], rng, draws)
    else:
        weights = np.zeros((draws, there.shape[1]))
        for group in there:
            weights[:, group] = draw_weights(int(group.sum()), rng, draws)
    means = [divide(weights @ group[:, 0], weights @ group[:, 1]) for group in sums]
    lo, hi, _ = expanded_limits((means[0] - means[1])[:, None], there.sum(axis=1).min(keepdims=True))
    return float(lo[0]), float(hi[0])


def _permutation_p(sums: Floats, there: Bools, rng: np.random.Generator, permutations: int) -> float:
    """Return (1 + permutations at least as far from 0) / (1 + permutations) (Phipson & Smyth 2010)."""
    seen = abs(_studentised(sums, there, np.zeros((1, there.shape[1])))[0]) * (1 - 1e-12)
    both = there.all(axis=0)
    own = there[1, ~both]
    beyond = 0
    for start in range(0, permutations, CHUNK):
        size = min(CHUNK, permutations - start)
        swapped = np.empty((size, there.shape[1]))
        swapped[:, both] = rng.integers(2, size=(size, int(both.sum())), dtype=np.int8)
        swapped[:, ~both] = rng.permuted(np.broadcast_to(own, (size, own.size)), axis=1) != own
        beyond += int((np.abs(_studentised(sums, there, swapped)) >= seen).sum())
    return (1 + beyond) / (1 + permutations)


def _studentised(sums: Floats, there: Bools, swapped: Floats) -> Floats:
    difference, error = _standard_errors(sums, there, swapped)
    return np.asarray(np.where(error > 0, divide(difference, error), np.where(difference == 0, 0.0, np.inf)))


def _standard_errors(sums: Floats, there: Bools, swapped: Floats) -> tuple[Floats, Floats]:
    """Return the difference and its standard error, clustered by person, in each permutation.

    ``sums``: 2 groups x people x (top, bottom); ``swapped``: permutations x people, 1 where a person's two are swapped.
    The error is that of the linearised ratios: residuals of each person, summed in squares, a group's times
    c / (c - 1) for its c people.
    """
    a, b = (_products(sums[k], sums[1 - k]) for k in (0, 1))
    (at, an, att, atn, ann, abt, cross_ab), (bt, bn, btt, btn, bnn, _, cross_ba) = (
        (own.sum(axis=0) + swapped @ (other - own)).T for own, other in ((a, b), (b, a))
    )
    bottoms = (sums[0, :, 1] * sums[1, :, 1]).sum()  # the same whoever swaps
    mean_a, mean_b = divide(at, an), divide(bt, bn)
    stretch_a, stretch_b = (c / (c - 1) for c in there.sum(axis=1))
    spread_a = stretch_a * (att - 2 * mean_a * atn + mean_a**2 * ann) / an**2
    spread_b = stretch_b * (btt - 2 * mean_b * btn + mean_b**2 * bnn) / bn**2
    together = abt - mean_b * cross_ab - mean_a * cross_ba + mean_a * mean_b * bottoms
    variance = spread_a + spread_b - 2 * math.sqrt(stretch_a * stretch_b) * together / (an * bn)
    return mean_a - mean_b, np.sqrt(np.maximum(variance, 0.0))


def _products(own: Floats, other: Floats) -> Floats:
    """Return, by person: top, bottom, their squares and product, and the products of this top with the other's two."""
    top, bottom = own.T
    return np.stack([top, bottom, top**2, top * bottom, bottom**2, top * other[:, 0], top * other[:, 1]], axis=1)
