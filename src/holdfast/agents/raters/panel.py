"""Several raters on the same passages: how far they agree, and where they do not. They are never averaged here.

A mean over raters who disagree hides what most needs showing, so a panel gives each rater's scores, their agreement,
and the passages on which they are furthest apart. It is no rater itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from holdfast.agents.raters.agreement import (
    Floats,
    krippendorff_alpha,
    linear_weighted_kappa,
    pairs,
    quadratic_weighted_kappa,
)
from holdfast.agents.raters.protocol import Rating, Passage, Scale, Rater
from holdfast.core.errors import InputError


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two raters on one dimension: weighted kappa, mean difference (first minus second), and on how many passages."""

    first: str
    second: str
    quadratic_kappa: float
    linear_kappa: float
    mean_difference: float
    n: int


@dataclass(frozen=True, slots=True)
class DimensionAgreement:
    """One dimension over all raters. Alphas with percentile intervals; ``n``: passages with two scores or more."""

    dimension: str
    interval: tuple[float, float, float]  # alpha, lo, hi
    ordinal: tuple[float, float, float]
    n: int
    pairs: tuple[PairAgreement, ...]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A passage on which raters are apart: ``scores`` by rater, and the widest gap in shares of the scale's width."""

    passage: int
    dimension: str
    gap: float
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Panel:
    """Raters of one scale, each under a name of its own."""

    raters: dict[str, Rater]

    def __post_init__(self) -> None:
        scales = {rater.scale.id for rater in self.raters.values()}
        if len(self.raters) < 2 or len(scales) != 1:
            found = ", ".join(f"{name} ({rater.scale.id})" for name, rater in self.raters.items())
            raise InputError(f"a panel needs two raters or more on one scale; got {found or 'none'}")

    @property
    def scale(self) -> Scale:
        return next(iter(self.raters.values())).scale

    async def rate(self, passages: Sequence[Passage]) -> dict[str, list[Rating]]:
        """Each rater's judgements of all passages, by the rater's name."""
        answers = await asyncio.gather(*(rater.rate(passages) for rater in self.raters.values()))
        return dict(zip(self.raters, answers, strict=True))


def agreement(
    judgements: dict[str, list[Rating]],
    scale: Scale,
    rng: np.random.Generator,
    *,
    groups: Sequence[str] | None = None,
    draws: int = 1000,
) -> list[DimensionAgreement]:
    """Agreement on every dimension. ``groups``: (n,) what is resampled together, e.g. the conversation; None: each
    passage alone."""
    return [
        _on_dimension(name, {who: _scores(one, name) for who, one in judgements.items()}, rng, groups, draws)
        for name in scale.dimensions
    ]


def disputes(judgements: dict[str, list[Rating]], scale: Scale, most: int = 10) -> list[Dispute]:
    """The ``most`` widest gaps between two raters, widest first; equal ones in the order of the passages."""
    found = []
    for name in scale.dimensions:
        columns = {who: _scores(one, name) for who, one in judgements.items()}
        for index in range(len(next(iter(columns.values())))):
            known = {who: float(values[index]) for who, values in columns.items() if not np.isnan(values[index])}
            if len(known) > 1:
                gap = (max(known.values()) - min(known.values())) / (scale.high - scale.low)
                found.append(Dispute(index, name, gap, known))
    return sorted((one for one in found if one.gap > 0), key=lambda one: (-one.gap, one.passage))[:most]


def _scores(judgements: Sequence[Rating], dimension: str) -> Floats:
    return np.array([one.values.get(dimension, np.nan) for one in judgements], dtype=np.float64)


def _on_dimension(
    name: str, columns: dict[str, Floats], rng: np.random.Generator, groups: Sequence[str] | None, draws: int
) -> DimensionAgreement:
    table = np.stack(list(columns.values()))
    names = np.arange(table.shape[1]) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    members = [np.flatnonzero(names == one) for one in np.unique(names)]
    drawn = np.full((draws, 2), np.nan)
    if len(members) > 1:
        for row in drawn:
            items = np.concatenate([members[one] for one in rng.integers(len(members), size=len(members))])
            row[:] = krippendorff_alpha(table[:, items]), krippendorff_alpha(table[:, items], "ordinal")
    return DimensionAgreement(
        name,
        (krippendorff_alpha(table), *_limits(drawn[:, 0])),
        (krippendorff_alpha(table, "ordinal"), *_limits(drawn[:, 1])),
        int(((~np.isnan(table)).sum(axis=0) > 1).sum()),
        tuple(_pair(a, b, columns[a], columns[b]) for a, b in combinations(columns, 2)),
    )


def _limits(drawn: Floats) -> tuple[float, float]:
    """Percentile limits (95 %) over the resamples that have a value; nan where none has."""
    defined = drawn[~np.isnan(drawn)]
    if not len(defined):
        return float("nan"), float("nan")
    lo, hi = np.quantile(defined, [0.025, 0.975])
    return float(lo), float(hi)


def _pair(first: str, second: str, a: Floats, b: Floats) -> PairAgreement:
    x, y = pairs(a, b)
    difference = float((x - y).mean()) if len(x) else float("nan")
    return PairAgreement(first, second, quadratic_weighted_kappa(x, y), linear_weighted_kappa(x, y), difference, len(x))
