"""Differences between the groups of a log, in level and in slope, from the sums by person."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from holdfast.core.seeds import derive_seed
from holdfast.simulator.logs.model import LogDifference
from holdfast.simulator.logs.sums import SCALARS, GroupSums
from holdfast.simulator.logs.tallies import OTHERS
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.group_difference import group_difference
from holdfast.simulator.measure.pairwise import holm

MOST_COMPARED = 10  # groups, the largest: a pair with 1,000 people takes two seconds
Sides = tuple[Floats, Floats]


def compared_groups(groups: Mapping[str, GroupSums], measure: str) -> list[str]:
    """Return the names of the groups that are compared, in their order: at most the largest ten with ``measure``."""
    able = [name for name, group in groups.items() if name != OTHERS and measure in group.measures]
    largest = sorted(able, key=lambda name: -groups[name].conversations)[:MOST_COMPARED]
    return sorted(largest)


def group_differences(groups: Mapping[str, GroupSums], measure: str, *, seed: int, draws: int) -> list[LogDifference]:
    """Compare every two groups in level and slope of ``measure``; Holm's adjustment is over all that is tested."""
    rows: list[dict[str, Any]] = []
    for a, b in combinations(compared_groups(groups, measure), 2):
        for figure, sides in zip(("level", "slope"), _sides(groups[a], groups[b], measure), strict=True):
            rng = np.random.default_rng(derive_seed(seed, "logs", "difference", a, b, figure))
            result = asdict(group_difference(*sides, rng, draws))
            rows.append({"a": a, "b": b, "figure": figure, "measure": measure, **result})
    adjusted = holm([row["p"] for row in rows]).tolist()
    return [LogDifference(**row, p_holm=p) for row, p in zip(rows, adjusted, strict=True)]


def _sides(a: GroupSums, b: GroupSums, measure: str) -> tuple[Sides, Sides]:
    """Return, for level and for slope, what each person adds in either group: people x (top, bottom)."""
    names_a, names_b = _people(a, "a"), _people(b, "b")
    row_of = {name: row for row, name in enumerate(dict.fromkeys((*names_a, *names_b)))}
    levels, slopes = [], []
    for group, names in ((a, names_a), (b, names_b)):
        rows = [row_of[name] for name in names]
        sums, size = group.measures[measure], len(names)
        means, column = sums.scalars.sums(size), SCALARS.index("mean")
        level, slope = np.zeros((len(row_of), 2)), np.zeros((len(row_of), 2))
        level[rows] = np.stack([means.totals[:, column], means.counts[:, column]], axis=1)
        slope[rows] = sums.within.sums(size).totals[:, [4, 1]]  # turn x value, turn x turn: see within_moments
        levels.append(level)
        slopes.append(slope)
    return (levels[0], levels[1]), (slopes[0], slopes[1])


def _people(group: GroupSums, side: str) -> list[tuple[str, str]]:
    """Return a key for each cluster: that of a person is the same in every group; others are told apart by ``side``."""
    clusters = group.clusters
    return [("" if clusters.is_person(name) else side, name) for name in clusters.names]
