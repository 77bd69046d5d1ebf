"""Felt empathy by every feeler side by side: the study's own first, then those that cost nothing or were not asked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from holdfast.agents.raters.felt.feelers import NAMES, FeelerKind, kind_of
from holdfast.agents.raters.felt.rater import LONGEST_CHAT
from holdfast.agents.raters.protocol import Rating
from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.measure.estimates import MeanEstimate, estimate
from holdfast.simulator.measure.extract import felt_array
from holdfast.simulator.measure.gap import ITSELF, gap, gap_reduction, perceived
from holdfast.simulator.measure.pairwise import align
from holdfast.simulator.measure.restating import explained_share
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext
from holdfast.simulator.results.felt_model import FeltCandidate, FeltResults, RestatedShare, Restating
from holdfast.simulator.results.model import RaterInfo

KINDS: tuple[FeelerKind, ...] = ("people", "model", "formula")
NOT_RUN: Mapping[FeelerKind, str] = {
    "people": "not run: the study's feeler is the formula",
    "model": "not run: no model named (holdfast judge RUN --scale felt --model NAME --out RUN/felt.jsonl)",
}
NO_VALUE = "the reply could not be judged"


def apart(raters: Sequence[RaterInfo]) -> tuple[list[RaterInfo], list[RaterInfo], FeelerKind]:
    """Return the raters of replies, everybody who was asked what was felt, and which feeler is the study's own."""
    feelers = [each for each in raters if kind_of(each.name) is not None]
    own = next((kind_of(each.name) for each in feelers if each.role == "feeler"), None)
    return [each for each in raters if kind_of(each.name) is None], feelers, own or "formula"


def felt_results(
    measured: Mapping[str, MeasuredCandidate], baseline: str | None, context: ResultsContext
) -> list[FeltResults]:
    """Measure felt empathy by each kind of feeler, the study's own first."""
    return [_felt_by(kind, measured, baseline, context) for kind in sorted(KINDS, key=lambda k: k != context.feeler)]


def _felt_by(
    kind: FeelerKind, measured: Mapping[str, MeasuredCandidate], baseline: str | None, context: ResultsContext
) -> FeltResults:
    info = next((feeler for feeler in context.feelers if kind_of(feeler.name) == kind), None)
    if info is None and kind != "formula":
        return FeltResults(feeler=kind, not_run=NOT_RUN[kind])
    felt = {name: felt_array(each.arrays, kind) for name, each in measured.items()}
    longest = LONGEST_CHAT if kind == "people" else None
    late = sum(int((~np.isnan(values[:, longest:])).sum()) for values in felt.values()) if longest else 0
    return FeltResults(
        feeler=kind,
        **_identity(info),
        judged=sum(int((~np.isnan(values)).sum()) for values in felt.values()),
        missing=dict(Counter(_missing(kind, measured, felt)).most_common()),
        longest_chat=longest,
        extrapolated=late,
        restates=restating(measured, felt),
        candidates={name: _candidate(name, measured, felt, baseline, context) for name in measured},
    )


def _identity(info: RaterInfo | None) -> dict[str, Any]:
    return {} if info is None else {name: getattr(info, name) for name in ("id", "version", "prompt_sha256")}


def _missing(kind: FeelerKind, measured: Mapping[str, MeasuredCandidate], felt: Mapping[str, Floats]) -> Iterator[str]:
    for name, each in measured.items():
        for row, episode in enumerate(each.arrays.episodes):
            for turn in episode.turns:
                if np.isnan(felt[name][row, turn.turn - 1]):
                    rating = turn.primary if kind == "formula" else turn.ratings.get(NAMES[kind], Rating())
                    yield rating.missing or rating.disqualified or NO_VALUE


def restating(measured: Mapping[str, MeasuredCandidate], felt: Mapping[str, Floats]) -> Restating:
    """Say how far ``felt`` (by candidate, episodes x turns) follows from the primary rater's levels."""
    levels = [each.arrays.levels for each in measured.values()]
    values = [felt[name] for name in measured]
    turns = np.concatenate([each.reshape(-1) for each in values]) if values else np.zeros(0)
    expressed = np.concatenate([each.reshape(-1, each.shape[-1]) for each in levels]) if levels else np.zeros((0, 1))
    candidate = np.repeat(np.arange(len(values)), [each.size for each in values])
    both = [~np.isnan(y) & ~np.isnan(x).any(axis=-1) for y, x in zip(values, levels, strict=True)]
    talks = [present_mean(y, axis=1, where=there) for y, there in zip(values, both, strict=True)]
    talk_levels = [
        np.stack([present_mean(x[..., k], axis=1, where=there) for k in range(x.shape[-1])], axis=1)
        for x, there in zip(levels, both, strict=True)
    ]
    return Restating(
        by_turn=RestatedShare.model_validate(explained_share(turns, expressed)),
        by_conversation=RestatedShare.model_validate(
            explained_share(np.concatenate([*talks, []]), np.concatenate([*talk_levels, expressed[:0]]))
        ),
        within_candidate=RestatedShare.model_validate(explained_share(turns, expressed, candidate)),
    )


def _candidate(
    name: str,
    measured: Mapping[str, MeasuredCandidate],
    felt: Mapping[str, Floats],
    baseline: str | None,
    context: ResultsContext,
) -> FeltCandidate:
    arrays = measured[name].arrays
    resamples = context.resamples(arrays.groups, "episodes")
    gaps = gap(arrays.desired, felt[name])
    reduction = MeanEstimate.undefined(n=0)
    if baseline is not None:
        own, theirs = align(arrays.user_keys, measured[baseline].arrays.user_keys)
        base = gap(measured[baseline].arrays.desired, felt[baseline])
        pairs = context.resamples([arrays.groups[row] for row in own], "baseline")
        reduction = MeanEstimate.model_validate(gap_reduction(gaps[own], base[theirs], pairs))
        reduction = reduction.exactly(ITSELF) if name == baseline else reduction
    return FeltCandidate(
        perceived=estimate(perceived(felt[name]), resamples),
        gap=estimate(gaps, resamples),
        gap_abs=estimate(np.abs(gaps), resamples),
        gap_reduction=reduction,
    )
