"""Figures by simulator: whoever plays the users moves them, so they stand side by side."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np

from holdfast.agents.users.llm.memory import KEY
from holdfast.agents.users.specs import EMBEDDED
from holdfast.personas.schema import Persona
from holdfast.simulator.measure.arrays import Floats
from holdfast.simulator.measure.bootstrap import mean_interval
from holdfast.simulator.measure.extract import extract
from holdfast.simulator.measure.text.realism import Realism
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.candidate_model import (
    PlayedCounts,
    RealismResults,
    SimulatedCandidate,
    SimulatorResults,
)
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext
from holdfast.simulator.results.estimates import MeanEstimate

COUNTED = (
    "messages", "stand_in_messages", "refused", "judgements", "stand_in_judgements", "repaired",
    "prompt_tokens", "completion_tokens",
)  # fmt: skip


def simulator_results(
    episodes: Sequence[EpisodeRecord],
    desired: Mapping[str, float],
    personas: Mapping[str, Persona],
    context: ResultsContext,
) -> dict[str, SimulatorResults] | None:
    """Measure by the simulator's name; None where only the embedded users played: there is nothing to tell apart."""
    names = sorted({episode.spec.simulator for episode in episodes})
    if names in ([], [""]):
        return None
    return {
        name or EMBEDDED: _simulator(
            [episode for episode in episodes if episode.spec.simulator == name], desired, personas, context
        )
        for name in names
    }


def _simulator(
    episodes: Sequence[EpisodeRecord],
    desired: Mapping[str, float],
    personas: Mapping[str, Persona],
    context: ResultsContext,
) -> SimulatorResults:
    arrays = extract(episodes, desired)
    return SimulatorResults(
        episodes=len(episodes),
        failed=sum(episode.error is not None for episode in episodes),
        candidates={name: _candidate(MeasuredCandidate.of(each, context), context) for name, each in arrays.items()},
        realism=_realism(sorted(episodes, key=lambda episode: episode.spec.id), personas, context),
        model=played_counts(episodes),
    )


def _candidate(measured: MeasuredCandidate, context: ResultsContext) -> SimulatedCandidate:
    resamples = context.resamples(measured.arrays.groups, "episodes")
    means: dict[str, Floats] = {
        "adherence": measured.adherence_mean,
        "adherence_last_quarter": measured.last_quarter,
        "perceived": measured.perceived,
        "gap_abs": np.abs(measured.gap),
    }
    return SimulatedCandidate(
        episodes=len(measured.arrays.ids),
        **{name: MeanEstimate.model_validate(mean_interval(values, resamples)) for name, values in means.items()},
        retention=measured.retention(resamples),
    )


def _realism(
    episodes: Sequence[EpisodeRecord], personas: Mapping[str, Persona], context: ResultsContext
) -> RealismResults:
    lines = [[turn.user for turn in episode.turns] for episode in episodes]
    realism = Realism.of(lines, [_text(personas[episode.spec.persona]) for episode in episodes])
    resamples = context.resamples([episode.spec.persona for episode in episodes], "realism")
    columns = {field.name: getattr(realism, field.name) for field in fields(realism)}
    return RealismResults(
        **{name: MeanEstimate.model_validate(mean_interval(values, resamples)) for name, values in columns.items()}
    )


def _text(persona: Persona) -> str:
    """All that a persona holds in words."""
    goals = [phrase for goal in persona.goals for phrase in (goal.need, goal.topic)]
    return " . ".join([persona.background, *persona.feelings, *persona.topics, *goals])


def played_counts(episodes: Sequence[EpisodeRecord]) -> PlayedCounts | None:
    """Count how often a model kept to its part: sums over the conversations; None where no model played.

    A message or judgement that a rule had to make instead is a ``stand_in``: where their share is high, the figures
    are the embedded users' and not the model's.
    """
    total: Counter[str] = Counter()
    for episode in episodes:
        if episode.turns:
            total.update(episode.turns[-1].state.get("extra", {}).get(KEY, {}).get("counts", {}))
    if not total:
        return None
    refused = {name.removeprefix("refused_"): n for name, n in sorted(total.items()) if name.startswith("refused_")}
    return PlayedCounts(**{name: total[name] for name in COUNTED}, refused_by=refused)
