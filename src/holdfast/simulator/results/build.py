"""Episodes -> :class:`Results`: everything that a study measured."""

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from holdfast.agents.assistants.specs import CandidateSpec
from holdfast.personas.schema import EmpathyPattern, Persona, TaskContext
from holdfast.simulator.measure.bootstrap import DRAWS
from holdfast.simulator.measure.routing_accuracy import routing_accuracy
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.monitor.running_means import pattern_targets
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.candidates import candidate_results
from holdfast.simulator.results.context import ResultsContext, measured_candidates
from holdfast.simulator.results.headline import headline
from holdfast.simulator.results.model import PatternInfo, PopulationResults, RaterInfo, Results, TaskInfo
from holdfast.simulator.results.pairs import pairwise_results, survival_pairs
from holdfast.simulator.results.simulators import simulator_results
from holdfast.simulator.results.witnesses import agreement_results

CAUSES_KEPT = 5


def build_results(
    episodes: Sequence[EpisodeRecord],
    *,
    candidates: Sequence[CandidateSpec],
    raters: Sequence[RaterInfo],
    tasks: Mapping[str, TaskContext],
    patterns: Mapping[str, EmpathyPattern],
    personas: Mapping[str, Persona],
    study_name: str,
    seed: int,
    baseline: str | None,
    timings_s: Mapping[str, float],
    provenance: Mapping[str, Any],
    population: Mapping[str, Any] | None = None,
    draws: int = DRAWS,
) -> Results:
    """Measure a study; the same whatever the order of ``episodes``.

    Args:
        candidates: What the study says of its candidates, at least of those that the episodes name.
        raters: The primary one first.
        tasks, patterns, personas: By id, at least those that the episodes name.
        baseline: The candidate to compare with; None or absent leaves gap reduction and score factor undefined.
        timings_s, provenance, population: Taken over as they are.
        draws: Number of resamples; ``seed`` seeds them.

    Raises KeyError where a candidate, task, pattern or persona of an episode is not given.
    """
    feelings = _feelings(episodes, personas)
    context = ResultsContext(pattern_targets(tasks, patterns), raters, personas, feelings, seed, draws)
    measured = measured_candidates(episodes, context)
    baseline = baseline if baseline in measured else None
    spec_of, rival = {spec.name: spec for spec in candidates}, measured.get(baseline or "")
    parts = {name: candidate_results(spec_of[name], each, rival, context) for name, each in measured.items()}
    pairs = pairwise_results(measured, context)
    turns = max((each.arrays.turns for each in measured.values()), default=0)
    return Results(
        holdfast_version=_version(),
        study=study_name,
        seed=seed,
        transcripts_sha256=transcripts_sha256(episodes),
        turns=turns,
        episodes=len(episodes),
        **_not_ended(episodes),
        baseline=baseline,
        headline=headline(turns, parts, pairs, baseline),
        tasks={id: TaskInfo.model_validate(task) for id, task in tasks.items()},
        patterns={id: PatternInfo.model_validate(pattern.model_dump()) for id, pattern in patterns.items()},
        raters=list(raters),
        agreement=agreement_results(measured, context),
        candidates=parts,
        simulators=simulator_results(episodes, context),
        pairwise=pairs,
        pairwise_survival=survival_pairs(measured, context),
        router=routing_accuracy(episodes, tasks, context.rng("router"), draws),
        population=None if population is None else PopulationResults.model_validate(population),
        timings_s=dict(timings_s),
        provenance=dict(provenance),
    )


def _not_ended(episodes: Sequence[EpisodeRecord]) -> dict[str, Any]:
    """The conversations that failed, with the commonest causes, and those that are still owed turns."""
    causes = Counter(episode.error for episode in episodes if episode.error is not None)
    return {
        "failed_episodes": causes.total(),
        "failures": dict(causes.most_common(CAUSES_KEPT)),
        "unfinished_episodes": sum(episode.unfinished for episode in episodes),
    }


def _version() -> str:
    try:
        return version("holdfast")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"


def _feelings(episodes: Sequence[EpisodeRecord], personas: Mapping[str, Persona]) -> frozenset[str]:
    named = {turn.said.feeling for episode in episodes for turn in episode.turns if turn.said.feeling}
    return frozenset(named.union(*(persona.feelings for persona in personas.values())))
