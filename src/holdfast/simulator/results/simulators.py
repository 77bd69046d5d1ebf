"""What results.json says by simulator: whoever plays the users moves the figures, so they stand side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from holdfast.agents.users.llm.memory import KEY
from holdfast.agents.users.specs import EMBEDDED
from holdfast.personas.schema import Persona
from holdfast.simulator.results.candidates import ResultsContext, MeasuredCandidate
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.bootstrap import mean_interval, ratio_interval
from holdfast.simulator.measure.extract import extract
from holdfast.simulator.measure.text.realism import Realism
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.shapes import as_dict

COUNTED = (
    "messages", "stand_in_messages", "refused", "judgements", "stand_in_judgements", "repaired",
    "prompt_tokens", "completion_tokens",
)  # fmt: skip


def simulator_results(
    episodes: Sequence[EpisodeRecord],
    desired: Mapping[str, float],
    personas: Mapping[str, Persona],
    context: ResultsContext,
) -> dict[str, Any] | None:
    """By the simulator's name; None where only the embedded users played, as there is nothing to tell apart."""
    names = sorted({episode.spec.simulator for episode in episodes})
    if names in ([], [""]):
        return None
    return {
        name or EMBEDDED: _simulator(
            [one for one in episodes if one.spec.simulator == name], desired, personas, context
        )
        for name in names
    }


def _simulator(
    episodes: Sequence[EpisodeRecord],
    desired: Mapping[str, float],
    personas: Mapping[str, Persona],
    context: ResultsContext,
) -> dict[str, Any]:
    arrays = extract(episodes, desired)
    return {
        "episodes": len(episodes),
        "failed": sum(episode.error is not None for episode in episodes),
        "candidates": {name: _candidate(MeasuredCandidate.of(each, context), context) for name, each in arrays.items()},
        "realism": _realism(sorted(episodes, key=lambda episode: episode.spec.id), personas, context),
        "model": counted(episodes),
    }


def _candidate(measured: MeasuredCandidate, context: ResultsContext) -> dict[str, Any]:
    resamples = context.resamples(measured.arrays.groups, "episodes")
    means: dict[str, Floats] = {
        "adherence": measured.adherence_mean,
        "adherence_last_quarter": measured.last_quarter,
        "perceived": measured.perceived,
        "gap_abs": np.abs(measured.gap),
    }
    return {
        "episodes": len(measured.arrays.ids),
        **{name: as_dict(mean_interval(values, resamples)) for name, values in means.items()},
        "retention": as_dict(ratio_interval(measured.last_quarter, measured.first_quarter, resamples)),
    }


def _realism(
    episodes: Sequence[EpisodeRecord], personas: Mapping[str, Persona], context: ResultsContext
) -> dict[str, dict[str, float]]:
    lines = [[turn.user for turn in episode.turns] for episode in episodes]
    found = Realism.of(lines, [_text(personas[episode.spec.persona]) for episode in episodes])
    resamples = context.resamples([episode.spec.persona for episode in episodes], "realism")
    columns = {field.name: getattr(found, field.name) for field in fields(found)}
    return {name: as_dict(mean_interval(values, resamples)) for name, values in columns.items()}


def _text(persona: Persona) -> str:
    """All that a persona holds in words."""
    goals = [phrase for goal in persona.goals for phrase in (goal.need, goal.topic)]
    return " . ".join([persona.background, *persona.feelings, *persona.topics, *goals])


def counted(episodes: Sequence[EpisodeRecord]) -> dict[str, Any] | None:
    """How often a model kept to its part: sums over the conversations; None where no model played.

    ``refused_by``: lines that each check refused. A message or judgement that a rule had to make instead is a
    ``stand_in``: where their share is high, the figures are the embedded users' and not the model's.
    """
    total: Counter[str] = Counter()
    for episode in episodes:
        if episode.turns:
            total.update(episode.turns[-1].state.get("extra", {}).get(KEY, {}).get("counts", {}))
    if not total:
        return None
    refused = {name.removeprefix("refused_"): n for name, n in sorted(total.items()) if name.startswith("refused_")}
    return {**{name: total[name] for name in COUNTED}, "refused_by": refused}
