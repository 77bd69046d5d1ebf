"""Every two candidates before the same users: one comparison each, from which all sections take their verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from holdfast.core.wording import how_many
from holdfast.simulator.measure.arrays import Floats, present_mean
from holdfast.simulator.measure.decay.retention import quarter_means
from holdfast.simulator.measure.pairwise import METRICS, Family, Metric, PairResults
from holdfast.simulator.measure.simultaneous import compare_at_once
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext
from holdfast.simulator.results.stopped import BEST, WORST

Pair = tuple[str, str]
Values = Mapping[str, Mapping[str, float]]


def pairwise_results(
    measured: Mapping[str, MeasuredCandidate], trained: Mapping[str, bool], context: ResultsContext
) -> list[PairResults]:
    """Compare every pair, in adherence over the last quarter and over all turns.

    A trained and an untrained candidate are compared in one family, the trained one first; two of a kind in another.
    Limits and p hold for all pairs of a family together. Where unrated replies could turn a verdict, it is doubted.

    ``trained``: which candidates speak through adapters.
    """
    families: dict[Family, list[Pair]] = {
        "trained and untrained": [(a, b) for a in measured if trained[a] for b in measured if not trained[b]],
        "alike": [(a, b) for a, b in combinations(measured, 2) if trained[a] == trained[b]],
    }
    return [
        pair
        for metric in METRICS
        for family, pairs in families.items()
        for pair in _compared(pairs, measured, metric, family, context)
    ]


def pair_of(pairs: Sequence[PairResults], a: str, b: str, metric: Metric = METRICS[0]) -> PairResults | None:
    """Return the comparison of two candidates, whichever of them is the first; None where there is none."""
    return next((pair for pair in pairs if pair.metric == metric and {pair.a, pair.b} == {a, b}), None)


def lower_than(pairs: Sequence[PairResults], a: str, b: str) -> bool:
    """Whether ``a`` is shown to adhere less than ``b`` in the last quarter."""
    pair = pair_of(pairs, a, b)
    return pair is not None and pair.verdict == ("lower" if pair.a == a else "higher")


def _compared(
    pairs: Sequence[Pair],
    measured: Mapping[str, MeasuredCandidate],
    metric: Metric,
    family: Family,
    context: ResultsContext,
) -> Iterator[PairResults]:
    known = {name: _by_user(each, each.adherence, metric) for name, each in measured.items()}

    def compare(values: Values) -> list[PairResults]:
        rng = context.rng("at once", metric, family)
        return compare_at_once(
            pairs,
            values=values,
            personas=_personas(measured),
            metric=metric,
            family=family,
            rng=rng,
            draws=context.draws,
        )

    for place, pair in enumerate(compare(known)):
        sides = [measured[name] for name in (pair.a, pair.b)]
        unknown = sum(int(side.arrays.unrated.sum()) for side in sides)
        doubt = ""
        if unknown and pair.mean is not None:
            cases = [_extremes(known, measured, pair, metric, ends) for ends in ((WORST, BEST), (BEST, WORST))]
            verdicts = {pair.verdict, *(compare(values)[place].verdict for values in cases)}
            if len(verdicts) > 1:
                doubt = f"{how_many(unknown, 'unrated reply', 'unrated replies')} could turn it"
        yield pair.model_copy(update={"doubt": doubt})


def _extremes(
    known: Values,
    measured: Mapping[str, MeasuredCandidate],
    pair: PairResults,
    metric: Metric,
    ends: tuple[float, float],
) -> Values:
    """The values if all unrated replies of the one adhered as the first of ``ends``, of the other as the second."""
    filled = {
        name: _by_user(measured[name], measured[name].if_unrated(end), metric)
        for name, end in zip((pair.a, pair.b), ends, strict=True)
    }
    return {**known, **filled}


def _by_user(measured: MeasuredCandidate, near: Floats, metric: Metric) -> dict[str, float]:
    if metric == "adherence":
        values = present_mean(near, axis=1)
    else:
        _, values = quarter_means(near, measured.arrays.planned)
    return dict(zip(measured.arrays.user_keys, values.tolist(), strict=True))


def _personas(measured: Mapping[str, MeasuredCandidate]) -> dict[str, str]:
    return {
        key: group
        for each in measured.values()
        for key, group in zip(each.arrays.user_keys, each.arrays.groups, strict=True)
    }
