"""Figures by simulator, as the page's table rows."""

from dataclasses import dataclass

from holdfast.agents.users.llm.guards import REFUSED_BECAUSE
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.report.values import words
from holdfast.simulator.results.candidate_model import SimulatedCandidate, SimulatorResults
from holdfast.simulator.results.model import Results

#: Measures of how the users talk, with the words of the page.
TALK: tuple[tuple[str, str], ...] = (
    ("prompt_to_line", "like the persona"),
    ("line_to_line", "like itself"),
    ("stickiness", "same act again"),
    ("stickiness_by_chance", "… by chance"),
    ("words", "words a message"),
    ("agreeable", "agrees or thanks"),
    ("distinct", "unlike any before"),
)


@dataclass(frozen=True, slots=True)
class SimulatorRow:
    """One simulator. ``own_messages``, ``own_judgements``: shares 0-1 that the model made itself, None for users
    without a model. ``refused``: what refused lines did, in words, and how many did it; the most frequent first."""

    name: str
    candidates: tuple[tuple[Series, SimulatedCandidate], ...]
    talk: tuple[Estimate, ...]
    own_messages: float | None
    own_judgements: float | None
    refused: tuple[tuple[str, int], ...]


def simulators(results: Results, palette: Palette) -> list[SimulatorRow]:
    """In the order of their names; empty where the study has the embedded users only."""
    return [_row(name, part, palette) for name, part in (results.simulators or {}).items()]


def _row(name: str, part: SimulatorResults, palette: Palette) -> SimulatorRow:
    model = part.model
    refused = {REFUSED_BECAUSE.get(check, words(check)): n for check, n in (model.refused_by if model else {}).items()}
    return SimulatorRow(
        name=name,
        candidates=tuple((s, part.candidates[s.name]) for s in palette.series if s.name in part.candidates),
        talk=tuple(getattr(part.realism, key) for key, _ in TALK),
        own_messages=model.own_messages if model else None,
        own_judgements=model.own_judgements if model else None,
        refused=tuple(sorted(refused.items(), key=lambda item: (-item[1], item[0]))),
    )
