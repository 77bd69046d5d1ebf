"""Paired differences between candidates that met the same users."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any, Literal

import numpy as np
from pydantic import Field

from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.bootstrap import DRAWS, FEWEST, Resamples, mean_interval
from holdfast.simulator.measure.estimates import MeanEstimate, Share
from holdfast.simulator.measure.power import VarianceResults, variance

FLIPS = 9999
Metric = Literal["adherence_last_quarter", "adherence"]


class PairResults(MeanEstimate):
    """a - b in one metric, averaged over users that both met."""

    a: str
    b: str
    metric: Metric
    p: Share = Field(description="Two-sided, by flipping the sign of whole personas at random.")
    p_holm: Share = Field(description="p adjusted by Holm over all pairs of this metric.")
    p_bh: Share = Field(description="p adjusted by Benjamini and Hochberg over all pairs of this metric.")
    variance: VarianceResults


def align(a_keys: Sequence[str], b_keys: Sequence[str]) -> tuple[Ints, Ints]:
    """Return the rows of ``a`` and of ``b`` with the same user, in the order of ``a``. Keys are unique on each side."""
    place = {key: row for row, key in enumerate(b_keys)}
    both = [(row, place[key]) for row, key in enumerate(a_keys) if key in place]
    rows = np.array(both, dtype=np.int64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


def compare_all(
    metric: Metric,
    *,
    values: Mapping[str, Floats],
    keys: Mapping[str, Sequence[str]],
    groups: Mapping[str, Sequence[str]],
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> list[PairResults]:
    """Compare every pair of candidates, in the order of ``values``.

    Per candidate: one value per episode (nan where missing), its user keys and its clusters, in the same order. Users
    without a value on either side are left out of that pair; ``n`` counts those that stay.
    """
    compared, ps = list[dict[str, Any]](), list[float]()
    for a, b in combinations(values, 2):
        rows_a, rows_b = align(keys[a], keys[b])
        difference = values[a][rows_a] - values[b][rows_b]
        resamples = Resamples.of([groups[a][row] for row in rows_a], rng, draws)
        ps.append(sign_flip_p(difference, resamples.codes, rng))
        mean = asdict(mean_interval(difference, resamples))
        compared.append({"a": a, "b": b, **mean, "variance": variance(difference, resamples.codes)})
    adjusted = zip(compared, ps, holm(ps).tolist(), benjamini_hochberg(ps).tolist(), strict=True)
    return [PairResults(**pair, metric=metric, p=p, p_holm=q, p_bh=fdr) for pair, p, q, fdr in adjusted]


def sign_flip_p(difference: Floats, codes: Ints, rng: np.random.Generator, flips: int = FLIPS) -> float:
    """Return the two-sided p of "no difference", by flipping the sign of whole clusters at random.

    Under it, swapping the two candidates for a persona changes nothing. (1 + flips at least as far from 0) /
    (1 + flips) (Phipson & Smyth 2010). c clusters can give no p below 2^(1 - c). nan with fewer than five clusters.
    ``difference``: episodes, nan left out; ``codes``: the cluster of each.
    """
    there = ~np.isnan(difference)
    if len(np.unique(codes[there])) < FEWEST:
        return float("nan")
    sums = np.bincount(codes[there], weights=difference[there])
    signs = rng.choice(np.array([-1.0, 1.0]), size=(flips, len(sums)))
    seen = abs(sums.sum()) * (1 - 1e-12)  # a flip of all or of none ties, whatever the rounding
    return float((1 + (np.abs(signs @ sums) >= seen).sum()) / (1 + flips))


def holm(p: Sequence[float]) -> Floats:
    """Return p adjusted by Holm's (1979) step-down method; nan stays nan and is not counted among the tests."""
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(len(values), np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    steps = values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return adjusted


def benjamini_hochberg(p: Sequence[float]) -> Floats:
    """Return p adjusted by Benjamini & Hochberg (1995), by scipy; nan stays nan and is not counted among the tests."""
    from scipy.stats import false_discovery_control  # here, so that importing this module stays instant

    values = np.asarray(p, dtype=np.float64)
    adjusted, tested = np.full(len(values), np.nan), ~np.isnan(values)
    if tested.any():
        adjusted[tested] = false_discovery_control(values[tested])
    return adjusted
