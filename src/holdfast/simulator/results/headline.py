"""What a study found, in one honest sentence."""

from collections.abc import Mapping, Sequence

from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.measure.pairwise import PairResults
from holdfast.simulator.results.candidate_model import CandidateResults

#: Trained kinds that are named before other trained ones, and prompted kinds that they are set against.
EXPERTS = ("routed", "oracle")
PROMPTED = ("system_prompt", "system_prompt_with_reminder")


def headline(
    turns: int,
    candidates: Mapping[str, CandidateResults],
    pairwise: Sequence[PairResults],
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
    return _sentence(f"{sentence}; {tail}; {_difference(candidates, pairwise, first, second)}")


def choose(candidates: Mapping[str, CandidateResults], baseline: str | None) -> tuple[str, str | None]:
    """Choose the trained candidate (experts before others) and the prompted one, or the nearest that the study has.

    Where there is no trained one, the best of the rest at the end; where no prompted one, the baseline.
    """

    def ranked(kinds: Sequence[str], names: Sequence[str]) -> list[str]:
        places = {kind: place for place, kind in enumerate(kinds)}
        return sorted(names, key=lambda name: places.get(candidates[name].kind, len(kinds)))

    by_end = sorted(candidates, key=lambda name: (-(candidates[name].adherence_last_quarter.mean or 0.0), name))
    trained = ranked(EXPERTS, [name for name in by_end if candidates[name].trained])
    prompted = ranked(PROMPTED, [name for name in by_end if candidates[name].kind in PROMPTED])
    others = [name for name in by_end if name != baseline]
    base = [name for name in (baseline,) if name in candidates]
    first = next(iter([*trained, *others, *by_end]))
    second = next((name for name in [*prompted, *base, *by_end] if name != first), None)
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


def ahead(pairwise: Sequence[PairResults], first: str, second: str) -> tuple[str, str, Estimate] | None:
    """Say which of two candidates adhered more in the last quarter, before the same users, and by how much.

    (higher, lower, difference); None where they were not compared.
    """
    for pair in pairwise:
        if pair.metric == "adherence_last_quarter" and {pair.a, pair.b} == {first, second} and pair.mean is not None:
            return (pair.a, pair.b, pair) if pair.mean >= 0 else (pair.b, pair.a, pair.flipped)
    return None


def _difference(
    candidates: Mapping[str, CandidateResults], pairwise: Sequence[PairResults], first: str, second: str
) -> str:
    compared = ahead(pairwise, first, second)
    if compared is None:
        return "no user met both in the last quarter, so they cannot be compared there"
    higher, lower, by = candidates[compared[0]].title, candidates[compared[1]].title, compared[2]
    size = f"{by.mean:.2f} {_limits(by)}"
    if by.lo is not None and by.lo > 0:
        return f"in the last quarter {higher} adhered more than {lower}, by {size}"
    return f"in the last quarter their adherence is not shown to differ ({higher} higher by {size})"
