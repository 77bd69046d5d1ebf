"""What a study found, in one honest sentence: the strongest trained candidate against the strongest untrained one."""

from collections.abc import Mapping, Sequence

from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.measure.pairwise import PairResults
from holdfast.simulator.results.candidate_model import CandidateResults
from holdfast.simulator.results.pairs import pair_of

Candidates = Mapping[str, CandidateResults]


def headline(turns: int, candidates: Candidates, pairs: Sequence[PairResults], baseline: str | None) -> str:
    """Say of two candidates what each kept of its adherence, and how they differ at the end.

    The two are those of :func:`choose`; every figure comes with its 95 % interval.
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
        tail = f"; in the last quarter it was {end.mean:.2f}{_limits(end)}" if known else ""
        return _sentence(sentence + tail)
    tail = _kept(candidates[second])
    if not known and candidates[second].retention.mean is not None:
        tail = f"{tail} {span}"
    return _sentence(f"{sentence}; {tail}; {_difference(candidates, pair_of(pairs, first, second))}")


def choose(candidates: Candidates, baseline: str | None) -> tuple[str, str | None]:
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


def verb_of(candidate: CandidateResults) -> str:
    """``kept``; ``rose to`` where a rise is shown."""
    rises = candidate.holding.holds.course == "rises"
    return "rose to" if rises and (candidate.retention.mean or 0.0) > 1 else "kept"


def facing(pair: PairResults) -> PairResults:
    """Return the comparison with the higher candidate first."""
    if pair.mean is None or pair.mean >= 0:
        return pair
    turned = pair.flipped
    return pair.model_copy(update={"a": pair.b, "b": pair.a, "mean": turned.mean, "lo": turned.lo, "hi": turned.hi})


def named(name: str, candidates: Candidates) -> str:
    """The candidate's title, and that it is the strongest of its kind where it is, with others to choose from."""
    candidate = candidates[name]
    return f"{candidate.title}{strongest(name, candidates)}"


def strongest(name: str, candidates: Candidates) -> str:
    """`` (the strongest trained)``, or untrained; "" where there is no other of its kind, or but one kind."""
    alike = [other for other, each in candidates.items() if each.trained == candidates[name].trained]
    if len(alike) < 2 or len(alike) == len(candidates):
        return ""
    return f" (the strongest {'trained' if candidates[name].trained else 'untrained'})"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _kept(candidate: CandidateResults) -> str:
    retention = candidate.retention
    if retention.mean is None:
        why = candidate.notes.get("retention", "undefined").removeprefix("undefined: ")
        return f"what {candidate.title} kept is undefined ({why})"
    return f"{candidate.title} {verb_of(candidate)} {100 * retention.mean:.0f} %{_limits(retention, 100, 0)}"


def _limits(estimate: Estimate, unit: float = 1, digits: int = 2) -> str:
    """The limits, or why there are none, in brackets after a space; "" below five people."""
    if estimate.lo is None or estimate.hi is None:
        return f" [{estimate.reason}]" if estimate.reason else ""
    return f" [{unit * estimate.lo:.{digits}f}, {unit * estimate.hi:.{digits}f}]"


def _difference(candidates: Candidates, pair: PairResults | None) -> str:
    if pair is None or pair.verdict == "never met":
        return "no user met both in the last quarter, so they cannot be compared there"
    if pair.verdict == "undecided":
        return f"it is undecided which adhered more in the last quarter: {pair.doubt}"
    lead = facing(pair)
    who, whom = named(lead.a, candidates), named(lead.b, candidates)
    if pair.untested and f"{lead.mean:.2f}" == "0.00":
        return f"in the last quarter {who} stands level with {whom}; {pair.untested}"
    if pair.untested:
        return f"in the last quarter {who} stands {lead.mean:.2f} above {whom}; {pair.untested}"
    of = "" if pair.family == "alike" else " of trained and untrained"
    together = f", all {pair.pairs} pairs{of} together" if pair.pairs > 1 else ""
    size = f"{lead.mean:.2f}{_limits(lead)}{together}"
    design = "" if pair.smallest is None else f"; this design would have shown a difference of {pair.smallest:.2f}"
    if pair.shown:
        return f"in the last quarter {who} adhered more than {whom}, by {size}{design}"
    apart = f"the adherence of {who} is not shown to differ from that of {whom}"
    return f"in the last quarter {apart} (higher by {size}){design}"
