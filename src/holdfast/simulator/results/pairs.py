"""From two candidates before the same users to how they differ."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import combinations

from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.decay.log_rank import log_rank
from holdfast.simulator.measure.decay.survival import first_violations
from holdfast.simulator.measure.pairwise import Metric, PairResults, benjamini_hochberg, compare_all, holm
from holdfast.simulator.results.candidate_model import SurvivalPairResults
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext


def pairwise_results(measured: Mapping[str, MeasuredCandidate], context: ResultsContext) -> list[PairResults]:
    """Compare every pair of candidates, in adherence over all turns and over the last quarter."""
    metrics: dict[Metric, dict[str, Floats]] = {
        "adherence": {name: each.adherence_mean for name, each in measured.items()},
        "adherence_last_quarter": {name: each.last_quarter for name, each in measured.items()},
    }
    keys = {name: each.arrays.user_keys for name, each in measured.items()}
    groups = {name: each.arrays.groups for name, each in measured.items()}
    return [
        pair
        for metric, values in metrics.items()
        for pair in compare_all(
            metric, values=values, keys=keys, groups=groups, rng=context.rng("pairwise", metric), draws=context.draws
        )
    ]


def survival_pairs(measured: Mapping[str, MeasuredCandidate], context: ResultsContext) -> list[SurvivalPairResults]:
    """Run the log-rank test of every pair; ``p_holm`` and ``p_bh`` adjust ``p_paired`` over all pairs."""
    first = {name: first_violations(each.adherence) for name, each in measured.items()}
    pairs = list(combinations(measured, 2))
    tests = [
        log_rank(
            first[a], first[b], (measured[a].arrays.groups, measured[b].arrays.groups), context.rng("log-rank", a, b)
        )
        for a, b in pairs
    ]
    ps = [test.p_paired for test in tests]
    adjusted = zip(pairs, tests, holm(ps), benjamini_hochberg(ps), strict=True)
    return [SurvivalPairResults(a=a, b=b, **asdict(test), p_holm=p, p_bh=q) for (a, b), test, p, q in adjusted]
