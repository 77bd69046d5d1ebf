"""The result in one sentence, and the figures on the cards below it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from holdfast.simulator.measure.bootstrap import too_few
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.measure.pairwise import PairResults
from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.report.values import between, fixed, percent, times
from holdfast.simulator.results.candidate_model import CandidateResults
from holdfast.simulator.results.harm import harm_line
from holdfast.simulator.results.headline import facing, strongest, verb_of
from holdfast.simulator.results.model import Results
from holdfast.simulator.results.pairs import pair_of

GAP = "Gap reduction"


@dataclass(frozen=True, slots=True)
class Claim:
    """``name`` kept ``share`` of its adherence; ``verb``: or rose to it; ``why``: there is no interval."""

    series: Series
    verb: str
    share: str
    interval: str
    why: str


@dataclass(frozen=True, slots=True)
class FigureCard:
    """A key figure of the best candidate; ``beside``: the same of the rival, in words; ``why``: no interval."""

    title: str
    value: str
    interval: str
    why: str
    beside: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Headline:
    """``claims``: the best candidate's retention, then the rival's; empty where no retention is defined.

    ``lead``: the comparison of the two, the higher first; None where there is none. ``strongest``: of either name, that
    it is the strongest of its kind. ``harm``: tasks in which candidates adhere less than the baseline, in words;
    ``harm_shown``: whether any of it is. ``untested``: that there are too few people for any verdict.
    """

    turns: int
    claims: tuple[Claim, ...]
    cards: tuple[FigureCard, ...]
    lead: PairResults | None = None
    strongest: Mapping[str, str] = field(default_factory=dict)
    harm: str = ""
    harm_shown: bool = False
    untested: str = ""


def headline_view(results: Results, palette: Palette) -> Headline:
    """What the page says first. Without any candidate but the baseline it speaks of the baseline."""
    if palette.best is None:
        return Headline(results.turns, (), ())
    best = results.candidates[palette.best.name]
    names = [series for series in (palette.best, palette.rival) if series is not None]
    kept = [(series, results.candidates[series.name]) for series in names]
    claims = tuple(
        Claim(s, verb_of(c), percent(c.retention.mean), between(c.retention, "percent"), c.retention.reason)
        for s, c in kept
        if c.retention.mean is not None
    )
    rival = results.candidates[palette.rival.name] if palette.rival else None
    pair = pair_of(results.pairwise, names[0].name, names[1].name) if len(names) == 2 else None
    rated = any(candidate.area.mean is not None for _, candidate in kept)
    cards = _cards(best, rival, palette.rival) if rated else ()  # no reply could be rated: five dashes say less
    if results.feeler == "formula":  # what restates the rater is no finding
        cards = tuple(card for card in cards if card.title != GAP)
    return Headline(
        results.turns,
        claims,
        cards,
        facing(pair) if pair is not None and pair.mean is not None else None,
        {series.name: strongest(series.name, results.candidates) for series in names},
        harm_line(results.harmed),
        any(each.shown for each in results.harmed),
        too_few(max(each.people for each in results.candidates.values())),
    )


def _cards(lead: CandidateResults, rival: CandidateResults | None, series: Series | None) -> tuple[FigureCard, ...]:
    def card(
        title: str, write: Callable[[CandidateResults], str], of: Estimate, meaning: str, style: str = "fixed"
    ) -> FigureCard:
        beside = f"{series.name}: {write(rival)}" if series is not None and rival is not None else ""
        return FigureCard(title, write(lead), between(of, style), of.reason, beside, meaning)

    return (
        card(
            "Retention",
            lambda c: percent(c.retention.mean),
            lead.retention,
            "adherence in the last quarter of the turns over that in the first",
            "percent",
        ),
        card(
            "First two turns → last quarter",
            lambda c: f"{fixed(c.adherence_first_two_turns.mean)} → {fixed(c.adherence_last_quarter.mean)}",
            lead.adherence_last_quarter,
            "adherence to the expected pattern, 0 to 1",
        ),
        card(
            "Whole curve",
            lambda c: fixed(c.area.mean),
            lead.area,
            "area under the whole curve per turn, 0 to 1: what first against last leaves out",
        ),
        card(
            GAP,
            lambda c: percent(c.gap_reduction.mean),
            lead.gap_reduction,
            "how much of the baseline's mean gap between desired and perceived is gone",
            "percent",
        ),
        card(
            "Score factor",
            lambda c: times(c.score_factor.mean),
            lead.score_factor,
            "mean adherence over that of the baseline",
            "times",
        ),
    )
