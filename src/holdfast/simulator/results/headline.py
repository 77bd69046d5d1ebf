"""What a study found, in one honest sentence: the strongest trained candidate against the strongest untrained one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.core.wording import how_many
from holdfast.simulator.measure.bootstrap import FEWEST
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.measure.pairwise import PairResults
from holdfast.simulator.measure.simultaneous import SimultaneousDifference
from holdfast.simulator.results.candidate_model import CandidateResults


@dataclass(frozen=True, slots=True)
class Comparisons:
    """What candidates were compared by, in adherence over the last quarter.

    ``at_once``: each trained with each untrained one, limits that hold together; ``pairwise``: any two.
    """

    at_once: Sequence[SimultaneousDifference] = ()
    pairwise: Sequence[PairResults] = ()


@dataclass(frozen=True, slots=True)
class Lead:
    """``higher`` adhered more than ``lower`` in the last quarter, ``by`` so much, before the same users.

    ``personas``: how many people that rests on; ``pairs``: how many pairs its limits hold for together, 1 for a pair
    alone; ``smallest``: the smallest difference that the design would have shown, None where it is unknown.
    """

    higher: str
    lower: str
    by: Estimate
    personas: int
    pairs: int = 1
    smallest: float | None = None


def headline(
    turns: int,
    candidates: Mapping[str, CandidateResults],
    compared: Comparisons,
    baseline: str | None,
    doubt: str = "",
) -> str:
    """Say of two candidates what each kept of its adherence, and how they differ at the end.

    The two are those of :func:`choose`; every figure comes with its 95 % interval.

    ``doubt``: why it is undecided which of them adheres more, if it is.
    """
    if not candidates:
        return "Nothing was measured: no conversation has a turn."
    first, second = choose(candidates, baseline)
    lead = candidates[first]
    span = f"of adherence to the empathy pattern from the first to the last quarter of {turns} turns"
    known = lead.retention.mean is not None
    sentence = f"{_kept(lead)} {span}" if known else _kept(lead)
    if second is None:
        end = lead.adherence_last_quarter
        tail = f"; in the last quarter it was {end.mean:.2f} {_limits(end)}" if known else ""
        return _sentence(sentence + tail)
    rival = candidates[second]
    tail = _kept(rival)
    if not known and rival.retention.mean is not None:
        tail = f"{tail} {span}"
    if doubt:
        return _sentence(f"{sentence}; {tail}; it is undecided which adhered more in the last quarter: {doubt}")
    return _sentence(f"{sentence}; {tail}; {_difference(candidates, ahead(compared, first, second))}")


def choose(candidates: Mapping[str, CandidateResults], baseline: str | None) -> tuple[str, str | None]:
    """Choose the trained and the untrained candidate that adhere most in the last quarter.

    Where there is no trained one, the best of the rest but the baseline; where no untrained one, the next best.
    """
    by_end = sorted(candidates, key=lambda name: (-(candidates[name].adherence_last_quarter.mean or 0.0), name))
    trained = [name for name in by_end if candidates[name].trained]
    untrained = [name for name in by_end if not candidates[name].trained]
    others = [name for name in by_end if name != baseline]
    first = next(iter([*trained, *others, *by_end]))
    second = next((name for name in [*untrained, *by_end] if name != first), None)
    return first, second


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _kept(candidate: CandidateResults) -> str:
    retention = candidate.retention
    if retention.mean is None:
        why = candidate.notes.get("retention", "undefined").removeprefix("undefined: ")
        return f"what {candidate.title} kept is undefined ({why})"
    rose = round(100 * retention.mean) > 100 and retention.lo is not None and retention.lo > 1
    return (
        f"{candidate.title} {'rose to' if rose else 'kept'} {100 * retention.mean:.0f} % {_limits(retention, 100, 0)}"
    )


def _limits(estimate: Estimate, unit: float = 1, digits: int = 2) -> str:
    if estimate.lo is None or estimate.hi is None:
        return "[no interval]"
    return f"[{unit * estimate.lo:.{digits}f}, {unit * estimate.hi:.{digits}f}]"


def ahead(compared: Comparisons, first: str, second: str) -> Lead | None:
    """Say which of two candidates adhered more in the last quarter, before the same users; None: they never met."""
    for at_once in compared.at_once:
        if {at_once.a, at_once.b} == {first, second} and at_once.difference.mean is not None:
            pairs = sum(pair.difference.bounded for pair in compared.at_once)
            return _lead(at_once.a, at_once.b, at_once.difference, at_once.personas, max(1, pairs), at_once.smallest)
    for pair in compared.pairwise:
        if pair.metric == "adherence_last_quarter" and {pair.a, pair.b} == {first, second} and pair.mean is not None:
            return _lead(pair.a, pair.b, pair, pair.variance.personas)
    return None


def _lead(a: str, b: str, by: Estimate, personas: int, pairs: int = 1, smallest: float | None = None) -> Lead:
    if by.mean is not None and by.mean < 0:
        return Lead(b, a, by.flipped, personas, pairs, smallest)
    return Lead(a, b, Estimate(mean=by.mean, lo=by.lo, hi=by.hi), personas, pairs, smallest)


def _difference(candidates: Mapping[str, CandidateResults], lead: Lead | None) -> str:
    if lead is None:
        return "no user met both in the last quarter, so they cannot be compared there"
    higher, lower = candidates[lead.higher], candidates[lead.lower]
    who, whom = _named(higher, candidates), _named(lower, candidates)
    if lead.personas < FEWEST:
        few = how_many(lead.personas, "person", "people")
        return f"in the last quarter {who} adhered more than {whom} by {lead.by.mean:.2f}; {few}: cannot be tested"
    together = f", all {lead.pairs} pairs of trained and untrained together" if lead.pairs > 1 else ""
    size = f"{lead.by.mean:.2f} {_limits(lead.by)}{together}"
    shown = "" if lead.smallest is None else f"; this design would have shown a difference of {lead.smallest:.2f}"
    if lead.by.lo is not None and lead.by.lo > 0:
        return f"in the last quarter {who} adhered more than {whom}, by {size}{shown}"
    return f"in the last quarter their adherence is not shown to differ ({who} higher by {size}){shown}"


def _named(candidate: CandidateResults, candidates: Mapping[str, CandidateResults]) -> str:
    """The candidate's title, and that it is the strongest of its kind where there are others to choose from."""
    alike = [each for each in candidates.values() if each.trained == candidate.trained]
    kinds = {each.trained for each in candidates.values()}
    if len(alike) < 2 or len(kinds) < 2:
        return candidate.title
    return f"{candidate.title} (the strongest {'trained' if candidate.trained else 'untrained'} candidate)"
