"""The result in one sentence, and the figures on the cards below it."""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.report.values import between, fixed, percent, times
from holdfast.simulator.results.candidate_model import CandidateResults
from holdfast.simulator.results.harm import harm_line
from holdfast.simulator.results.headline import Comparisons, Lead, ahead
from holdfast.simulator.results.model import Results

GAP = "Gap reduction"


@dataclass(frozen=True, slots=True)
class Claim:
    """``name`` kept ``share`` of its adherence."""

    series: Series
    share: str
    interval: str


@dataclass(frozen=True, slots=True)
class FigureCard:
    """A key figure of the best candidate; ``beside``: the same of the rival, in words."""

    title: str
    value: str
    interval: str
    beside: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Headline:
    """``claims``: the best candidate's retention, then the rival's; empty where no retention is defined.

    ``ahead``: who adhered more in the last quarter before the same users; None where they were not compared. ``harm``:
    tasks in which candidates do harm, in words.
    """

    turns: int
    claims: tuple[Claim, ...]
    cards: tuple[FigureCard, ...]
    ahead: Lead | None = None
    harm: str = ""


def headline_view(results: Results, palette: Palette) -> Headline:
    """What the page says first. Without any candidate but the baseline it speaks of the baseline."""
    if palette.best is None:
        return Headline(results.turns, (), ())
    lead = results.candidates[palette.best.name]
    named = [series for series in (palette.best, palette.rival) if series is not None]
    kept = [(series, results.candidates[series.name].retention) for series in named]
    claims = tuple(Claim(s, percent(e.mean), between(e, "percent")) for s, e in kept if e.mean is not None)
    rival = results.candidates[palette.rival.name] if palette.rival else None
    compared = Comparisons(results.at_once, results.pairwise)
    first = ahead(compared, *(series.name for series in named)) if len(named) == 2 else None
    cards = _cards(lead, rival, palette.rival)
    if results.feeler == "formula":  # what restates the rater is no finding
        cards = tuple(card for card in cards if card.title != GAP)
    return Headline(results.turns, claims, cards, first, harm_line(results.harmed))


def _cards(lead: CandidateResults, rival: CandidateResults | None, series: Series | None) -> tuple[FigureCard, ...]:
    def card(title: str, write: Callable[[CandidateResults], str], interval: str, meaning: str) -> FigureCard:
        beside = f"{series.name}: {write(rival)}" if series is not None and rival is not None else ""
        return FigureCard(title, write(lead), interval, beside, meaning)

    return (
        card(
            "Retention",
            lambda c: percent(c.retention.mean),
            between(lead.retention, "percent"),
            "adherence in the last quarter of the turns over that in the first",
        ),
        card(
            "First two turns → last quarter",
            lambda c: f"{fixed(c.adherence_first_two_turns.mean)} → {fixed(c.adherence_last_quarter.mean)}",
            between(lead.adherence_last_quarter),
            "adherence to the expected pattern, 0 to 1",
        ),
        card(
            GAP,
            lambda c: percent(c.gap_reduction.mean),
            between(lead.gap_reduction, "percent"),
            "how much of the baseline's mean gap between desired and perceived is gone",
        ),
        card(
            "Score factor",
            lambda c: times(c.score_factor.mean),
            between(lead.score_factor, "times"),
            "mean adherence over that of the baseline",
        ),
    )
