"""What results.json says about two candidates before the same users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import combinations
from typing import Any

from holdfast.simulator.results.candidates import ResultsContext, MeasuredCandidate
from holdfast.simulator.measure.decay.log_rank import log_rank
from holdfast.simulator.measure.pairwise import benjamini_hochberg, compare_all, holm
from holdfast.simulator.measure.decay.survival import first_violations


def pairwise_results(measured: Mapping[str, MeasuredCandidate], context: ResultsContext) -> list[dict[str, Any]]:
    """Every pair of candidates, in adherence over all turns and over the last quarter."""
    metrics = {
        "adherence": {name: each.adherence_mean for name, each in measured.items()},
        "adherence_last_quarter": {name: each.last_quarter for name, each in measured.items()},
    }
    rows = []
    for metric, values in metrics.items():
        found = compare_all(
            metric,
            values=values,
            keys={name: each.arrays.user_keys for name, each in measured.items()},
            groups={name: each.arrays.groups for name, each in measured.items()},
            rng=context.rng("pairwise", metric),
            draws=context.draws,
        )
        for one in found:
            interval = one.difference
            row = {"a": one.a, "b": one.b, "metric": metric, "mean": interval.mean, "lo": interval.lo}
            row |= {"hi": interval.hi, "n": interval.n, "p": one.p, "p_holm": one.p_holm, "p_bh": one.p_bh}
            rows.append({**row, "variance": asdict(one.variance)})
    return rows


def survival_pairs(measured: Mapping[str, MeasuredCandidate], context: ResultsContext) -> list[dict[str, Any]]:
    """The log-rank test of every pair; ``p_holm`` and ``p_bh`` adjust ``p_paired`` over all pairs."""
    first = {name: first_violations(each.adherence) for name, each in measured.items()}
    pairs = list(combinations(measured, 2))
    found = [
        log_rank(
            first[a], first[b], (measured[a].arrays.groups, measured[b].arrays.groups), context.rng("log-rank", a, b)
        )
        for a, b in pairs
    ]
    ps = [one.p_paired for one in found]
    adjusted = zip(pairs, found, holm(ps), benjamini_hochberg(ps), strict=True)
    return [{"a": a, "b": b, **asdict(one), "p_holm": p, "p_bh": q} for (a, b), one, p, q in adjusted]
