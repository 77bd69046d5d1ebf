"""Which conversations the page carries, and how: grouped by user, as compact JSON that no text can break out of."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.agents.raters.adherence import adherence
from holdfast.agents.raters.felt.feelers import FeelerKind
from holdfast.agents.raters.protocol import Scale
from holdfast.core.text import visible
from holdfast.personas.schema import Persona
from holdfast.simulator.measure.extract import felt_after
from holdfast.simulator.records import EpisodeRecord, TurnRecord
from holdfast.simulator.report.series import Palette
from holdfast.simulator.report.values import beginning, drawn_scale, number
from holdfast.simulator.results.model import Results, TaskInfo

BUDGET = 6_000_000  # characters of JSON: about 600 conversations of 24 turns, still quick to open
LONGEST_TEXT = 4_000  # characters of a message that the page carries
MOST_TURNS = 500  # of a conversation that the page carries
SHORTEST_TEXT = 60
WHOLE = "the journal"
UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class EmbeddedTranscripts:
    """``data``: what the script reads; ``shown`` of ``total`` conversations are in it."""

    data: dict[str, Any]
    shown: int
    total: int
    most_turns: int = MOST_TURNS

    @property
    def json(self) -> str:
        """The data as text for a ``<script type="application/json">``."""
        return safe_json(self.data)

    @property
    def first(self) -> dict[str, Any] | None:
        """The group that is written into the page itself, readable without JavaScript."""
        groups = self.data["groups"]
        return groups[0] if groups else None


def safe_json(data: Any) -> str:
    """JSON without ``<``, ``>``, ``&``, U+2028, U+2029 in it: it can neither end its element nor open one.

    Lone surrogates, which UTF-8 cannot hold, become question marks.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(UNSAFE).encode("utf-8", "replace").decode("utf-8")


def embed(
    results: Results,
    episodes: Sequence[EpisodeRecord],
    personas: Mapping[str, Persona],
    palette: Palette,
    budget: int = BUDGET,
) -> EmbeddedTranscripts:
    """Choose conversations up to ``budget`` characters, whole groups only, so that candidates can be compared.

    A group is all conversations of one user (``EpisodeSpec.user_key``). Groups are taken in turns over tasks, then
    personas, then seeds, so that a small budget still shows every task. At least one group is taken, its messages cut
    until it fits. Longer messages than :data:`LONGEST_TEXT` and more turns than :data:`MOST_TURNS` are cut.
    What shows first is the pair that the headline speaks of, or the first two candidates.
    """
    groups: dict[str, list[EpisodeRecord]] = defaultdict(list)
    for episode in episodes:
        groups[episode.spec.user_key].append(episode)
    index = {s.name: s.index for s in palette.series}
    taken: list[dict[str, Any]] = []
    used = shown = 0
    for key in _fair_order(groups):
        members = sorted(groups[key], key=lambda e: index.get(e.spec.candidate, len(index)))
        group = _visible(_group(members, results, personas, index))
        size, longest = len(safe_json(group)), LONGEST_TEXT
        if taken and used + size > budget:
            break
        while size > budget and longest > SHORTEST_TEXT:
            longest = max(SHORTEST_TEXT, longest // 2)
            group = _visible(_group(members, results, personas, index, longest))
            size = len(safe_json(group))
        taken.append(group)
        used, shown = used + size, shown + len(members)
    # Readers look for a persona by name within its task.
    taken.sort(key=lambda g: (g["task"], g["who"], len(g["seed"]), g["seed"], g["round"]))
    named = [s.index for s in (palette.rival, palette.best) if s is not None]
    data = {
        "candidates": [visible(s.name) for s in palette.series],
        "slots": [s.slot for s in palette.series],
        "first": named if len(named) == 2 else [s.index for s in palette.series[:2]],
        "groups": taken,
    }
    return EmbeddedTranscripts(data, shown, len(episodes))


def _fair_order(groups: Mapping[str, Sequence[EpisodeRecord]]) -> list[str]:
    by_person: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key in sorted(groups, key=lambda k: (groups[k][0].spec.replicate, groups[k][0].spec.round, k)):
        spec = groups[key][0].spec
        by_person[spec.task, spec.agent or spec.persona].append(key)
    people: dict[str, list[str]] = defaultdict(list)
    for task, person in sorted(by_person):
        people[task].append(person)
    ranked = [
        (nth, people[task].index(person), task, key)
        for (task, person), keys in by_person.items()
        for nth, key in enumerate(keys)
    ]
    return [key for *_, key in sorted(ranked)]


def _group(
    members: Sequence[EpisodeRecord],
    results: Results,
    personas: Mapping[str, Persona],
    index: Mapping[str, int],
    longest: int = LONGEST_TEXT,
) -> dict[str, Any]:
    spec = members[0].spec
    task = results.tasks.get(spec.task) or TaskInfo(title=spec.task, pattern="")
    pattern = results.patterns.get(task.pattern)
    scale = results.raters[0].scale
    levels = [pattern.target.get(name) if pattern else None for name in scale.dimensions]
    persona = personas.get(spec.agent) or personas.get(spec.persona)
    needs = {goal.id: goal.need for goal in persona.goals} if persona else {}
    who = persona.name if persona else spec.persona
    agent = spec.agent if spec.agent != spec.persona else ""
    aside = ", ".join(filter(None, (agent, f"played by {spec.simulator}" if spec.simulator else "")))
    return {
        "who": f"{who} ({aside})" if aside else who,
        "about": persona.background if persona else "",
        "task": task.title,
        "pattern": pattern.title if pattern else task.pattern,
        "target": levels,
        "scale": drawn_scale(scale),
        "wants": persona.desired_empathy if persona else None,
        "seed": str(spec.replicate),  # JavaScript would round one above 2**53
        "round": spec.round,
        "turns": spec.max_turns,
        "episodes": [
            {
                "c": index.get(e.spec.candidate, -1),
                "name": e.spec.candidate,
                "error": e.error and beginning(e.error, longest, WHOLE),
                "turns": [_turn(t, levels, scale, results.feeler, needs, longest) for t in e.turns[:MOST_TURNS]],
            }
            for e in members
        ],
    }


def _visible(data: Any) -> Any:
    """The data with the hidden characters of all its texts written out."""
    if isinstance(data, dict):
        return {key: _visible(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_visible(value) for value in data]
    return visible(data) if isinstance(data, str) else data


def _shown_reply(turn: TurnRecord, longest: int) -> str:
    """Return the reply's beginning; in brackets why there is none, where it has no words."""
    if not turn.reply.strip():
        return f"[{turn.primary.missing or turn.primary.evidence or 'no reply'}]"
    return beginning(turn.reply, longest, WHOLE)


def _turn(
    turn: TurnRecord,
    target: Sequence[float | None],
    scale: Scale,
    feeler: FeelerKind,
    needs: Mapping[str, str],
    longest: int,
) -> dict[str, Any]:
    shown = [number(level) for level in turn.primary.levels(scale.dimensions)]
    felt = number(felt_after(turn, feeler))
    stopped = turn.primary.disqualified is not None
    near = adherence(
        np.array(shown, dtype=float), np.array(target, dtype=float), scale.width, stopped
    )  # None becomes nan
    return {
        "t": turn.turn,
        "u": beginning(turn.user, longest, WHOLE),
        "r": _shown_reply(turn, longest),
        "x": [_round(level) for level in shown],
        "a": _round(number(float(near))),
        "f": _round(felt),
        "e": _round(number(turn.emotion), 0),
        "by": turn.adapter,
        "as": turn.recognised_task,
        "goals": [needs.get(goal, goal) for goal in turn.goals_served],
        "stop": turn.stop,
    }


def _round(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
