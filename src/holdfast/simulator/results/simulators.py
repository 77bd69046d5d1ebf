"""Figures by simulator: whoever plays the users moves them, so they stand side by side."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from holdfast.agents.users.llm.memory import KEY
from holdfast.agents.users.specs import EMBEDDED
from holdfast.personas.schema import Persona
from holdfast.simulator.measure.decay.holds import HoldingVerdict, HoldsResults
from holdfast.simulator.measure.estimates import estimate
from holdfast.simulator.measure.text.realism import Realism
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.candidate_model import (
    PlayedCounts,
    RealismResults,
    SimulatedCandidate,
    SimulatorResults,
)
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext, measured_candidates
from holdfast.simulator.results.holding import holds_results
from holdfast.simulator.results.pairs import pairwise_results

COUNTED = (
    "messages", "stand_in_messages", "refused", "judgements", "stand_in_judgements", "repaired",
    "prompt_tokens", "completion_tokens",
)  # fmt: skip


def simulator_results(
    episodes: Sequence[EpisodeRecord], trained: Mapping[str, bool], baseline: str, context: ResultsContext
) -> dict[str, SimulatorResults] | None:
    """Measure by the simulator's name; None where only the embedded users played: there is nothing to tell apart.

    ``trained``: which candidates speak through adapters.
    """
    names = sorted({episode.spec.simulator for episode in episodes})
    if names in ([], [""]):
        return None
    return {
        name or EMBEDDED: _simulator(
            [episode for episode in episodes if episode.spec.simulator == name], trained, baseline, context
        )
        for name in names
    }


def verdicts_that_differ(simulators: Mapping[str, SimulatorResults]) -> dict[str, dict[str, HoldingVerdict]]:
    """Return candidate -> simulator -> whether it holds there, where that is not the same with all of them."""
    verdicts: dict[str, dict[str, HoldingVerdict]] = {}
    for simulator, part in simulators.items():
        for name, candidate in part.candidates.items():
            if candidate.holds is not None:
                verdicts.setdefault(name, {})[simulator] = candidate.holds.verdict
    return {name: by for name, by in verdicts.items() if len(set(by.values())) > 1}


def _simulator(
    episodes: Sequence[EpisodeRecord], trained: Mapping[str, bool], baseline: str, context: ResultsContext
) -> SimulatorResults:
    measured = measured_candidates(episodes, context)
    verdicts = holds_results(measured, pairwise_results(measured, trained, context), baseline, context)
    return SimulatorResults(
        episodes=len(episodes),
        failed=sum(episode.error is not None for episode in episodes),
        candidates={name: _candidate(each, verdicts[name], context) for name, each in measured.items()},
        realism=_realism(sorted(episodes, key=lambda episode: episode.spec.id), context),
        model=played_counts(episodes),
    )


def _candidate(measured: MeasuredCandidate, verdict: HoldsResults, context: ResultsContext) -> SimulatedCandidate:
    resamples = context.resamples(measured.arrays.groups, "episodes")
    return SimulatedCandidate(
        episodes=len(measured.arrays.episodes),
        adherence=estimate(measured.adherence_mean, resamples),
        adherence_last_quarter=estimate(measured.last_quarter, resamples),
        perceived=estimate(measured.perceived, resamples),
        gap_abs=estimate(np.abs(measured.gap), resamples),
        retention=measured.retention(resamples),
        holds=verdict,
    )


def _realism(episodes: Sequence[EpisodeRecord], context: ResultsContext) -> RealismResults:
    lines = [[turn.user for turn in episode.turns] for episode in episodes]
    realism = Realism.of(lines, [persona_words(context.personas[episode.spec.persona]) for episode in episodes])
    resamples = context.resamples([episode.spec.persona for episode in episodes], "realism")
    return RealismResults(**{name: estimate(getattr(realism, name), resamples) for name in RealismResults.model_fields})


def persona_words(persona: Persona) -> str:
    """Return all that a persona holds in words, its story apart."""
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
