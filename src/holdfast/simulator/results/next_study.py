"""From the results of one study to the size of the next."""

import math

from holdfast.simulator.measure.estimates import Count, Number, ResultsPart, Share
from holdfast.simulator.measure.pairwise import Metric, PairResults
from holdfast.simulator.measure.power import VarianceResults, detectable, personas_needed, power
from holdfast.simulator.results.model import Results

PER_PERSONA = (1, 2, 4, 8)  # conversations per persona that are planned for
SPLIT_UNKNOWN = (
    "Each persona met each candidate once, so variance within and between personas cannot be told apart: only plans "
    "with as many conversations per persona as measured are given. Run with 'replicates: 2' or more for the others."
)


class PersonasNeeded(ResultsPart):
    """Personas that a plan with so many conversations each needs; null where it cannot be told."""

    per_persona: Count
    personas: int | None


class PairPlan(ResultsPart):
    """What it takes to find the difference of a pair; ``note``: why figures are null."""

    a: str
    b: str
    difference: Number
    personas: Count
    per_persona: Number
    between: Number
    within: Number
    of_means: Number
    power: Share
    detectable: Number
    needed: list[PersonasNeeded]
    note: str


def plan_pairs(
    results: Results, metric: Metric, difference: float | None = None, target: float = 0.8
) -> list[PairPlan]:
    """Plan for each pair of candidates: power at the study's own size, and personas needed for ``PER_PERSONA``.

    ``difference``: to find instead of the measured one. ``target``: chance of finding it.
    """
    return [_plan(pair, difference, target) for pair in results.pairwise if pair.metric == metric]


def _plan(pair: PairResults, difference: float | None, target: float) -> PairPlan:
    spread, of_means = pair.variance, _nan(pair.variance.of_means)
    wanted = difference if difference is not None else _nan(pair.mean)
    return PairPlan(
        a=pair.a,
        b=pair.b,
        difference=wanted,
        **spread.model_dump(include={"personas", "per_persona", "between", "within", "of_means"}),
        power=power(wanted, of_means, spread.personas),
        detectable=detectable(of_means, spread.personas, target),
        needed=[
            PersonasNeeded(per_persona=each, personas=_whole(personas_needed(wanted, spread.at(each), target)))
            for each in PER_PERSONA
        ],
        note=_note(wanted, spread),
    )


def _nan(value: float | None) -> float:
    return math.nan if value is None else value


def _whole(personas: float) -> int | None:
    return int(personas) if math.isfinite(personas) else None


def _note(difference: float, spread: VarianceResults) -> str:
    if spread.personas < 2:
        return f"{spread.personas} persona met both candidates; at least 2 are needed to know how personas differ."
    if math.isnan(difference) or difference == 0:
        return "No difference was measured, and none is given: name one with --difference."
    if spread.within is None:
        return SPLIT_UNKNOWN
    return "Personas seem not to differ (their variance came out below 0 and counts as 0)." if spread.truncated else ""
