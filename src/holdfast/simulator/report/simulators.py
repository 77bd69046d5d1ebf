"""Figures by simulator, as the page's table rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.simulator.report.series import Palette, Series
from holdfast.simulator.report.values import Estimate, number

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
    """One simulator. ``candidates``: the series and its figures; ``own_words``, ``own_judgements``: shares 0-1 that the
    model made itself, None for users without a model."""

    name: str
    episodes: int
    candidates: tuple[tuple[Series, Mapping[str, Any]], ...]
    talk: tuple[Estimate, ...]
    own_words: float | None
    own_judgements: float | None
    refused: tuple[tuple[str, int], ...]


def simulators(results: Mapping[str, Any], people: Palette) -> list[SimulatorRow]:
    """In the order of their names; empty where the study has the embedded users only."""
    found: Mapping[str, Any] = results.get("simulators") or {}
    return [_played(name, raw, people) for name, raw in found.items()]


def _played(name: str, raw: Mapping[str, Any], people: Palette) -> SimulatorRow:
    candidates, talk, model = raw.get("candidates") or {}, raw.get("realism") or {}, raw.get("model") or {}
    refused = model.get("refused_by") or {}
    return SimulatorRow(
        name=name,
        episodes=int(raw.get("episodes") or 0),
        candidates=tuple((s, candidates[s.name]) for s in people.series if s.name in candidates),
        talk=tuple(Estimate.of(talk.get(key)) for key, _ in TALK),
        own_words=_own(model, "messages", "stand_in_messages"),
        own_judgements=_own(model, "judgements", "stand_in_judgements"),
        refused=tuple(sorted(refused.items(), key=lambda item: (-item[1], item[0]))),
    )


def _own(model: Mapping[str, Any], of: str, stand_ins: str) -> float | None:
    total, replaced = number(model.get(of)), number(model.get(stand_ins))
    return None if not total or replaced is None else 1 - replaced / total
