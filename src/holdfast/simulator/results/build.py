"""Episodes -> :class:`Results`: everything that a study measured."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from holdfast.agents.assistants.specs import CandidateSpec
from holdfast.agents.users.state import DESIRED_ON_PERCEIVED_SCALE
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import EmpathyPattern, Persona, TaskContext
from holdfast.simulator.measure.bootstrap import DRAWS
from holdfast.simulator.measure.extract import extract
from holdfast.simulator.measure.routing_accuracy import routing_accuracy
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.monitor.running_means import pattern_targets
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.candidate_model import CandidateResults
from holdfast.simulator.results.candidates import candidate_results
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext
from holdfast.simulator.results.headline import headline
from holdfast.simulator.results.model import (
    PatternInfo,
    PopulationResults,
    RaterInfo,
    Results,
    RoutingPoint,
    RoutingResults,
    TaskInfo,
)
from holdfast.simulator.results.pairs import pairwise_results, survival_pairs
from holdfast.simulator.results.simulators import simulator_results
from holdfast.simulator.results.witnesses import agreement_results


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

    Raises:
        KeyError: A candidate, task, pattern or persona of an episode is not given.
    """
    targets, goals = pattern_targets(tasks, patterns), _goals(personas)
    context = ResultsContext(targets, raters, goals, _feelings(episodes, personas), seed, draws)
    desired = {id: DESIRED_ON_PERCEIVED_SCALE[persona.desired_empathy] for id, persona in personas.items()}
    measured = {name: MeasuredCandidate.of(arrays, context) for name, arrays in extract(episodes, desired).items()}
    baseline, by_candidate = baseline if baseline in measured else None, _by_candidate(episodes)
    parts = _candidates(candidates, measured, by_candidate, baseline, context)
    turns, pairs = _turns(measured), pairwise_results(measured, context)
    return Results(
        holdfast_version=_version(),
        study=study_name,
        seed=seed,
        transcripts_sha256=transcripts_sha256(episodes),
        turns=turns,
        episodes=len(episodes),
        failed_episodes=sum(episode.error is not None for episode in episodes),
        unfinished_episodes=sum(episode.unfinished for episode in episodes),
        baseline=baseline,
        headline=headline(turns, parts, pairs, baseline),
        tasks={id: TaskInfo.model_validate(task) for id, task in tasks.items()},
        patterns={id: _pattern(pattern) for id, pattern in patterns.items()},
        raters=list(raters),
        agreement=agreement_results(by_candidate, measured, context),
        candidates=parts,
        simulators=simulator_results(episodes, desired, personas, context),
        pairwise=pairs,
        pairwise_survival=survival_pairs(measured, context),
        router=_router(episodes, tasks, context),
        population=None if population is None else PopulationResults.model_validate(population),
        timings_s=dict(timings_s),
        provenance=dict(provenance),
    )


def _candidates(
    specs: Sequence[CandidateSpec],
    measured: Mapping[str, MeasuredCandidate],
    episodes: Mapping[str, Sequence[EpisodeRecord]],
    baseline: str | None,
    context: ResultsContext,
) -> dict[str, CandidateResults]:
    spec_of = {spec.name: spec for spec in specs}
    compared_with = None if baseline is None else measured[baseline]
    return {
        name: candidate_results(spec_of[name], each, episodes[name], compared_with, context)
        for name, each in measured.items()
    }


def _by_candidate(episodes: Sequence[EpisodeRecord]) -> dict[str, list[EpisodeRecord]]:
    """Episodes of each candidate, ordered by id as in its arrays."""
    by_candidate = defaultdict(list)
    for episode in sorted(episodes, key=lambda episode: episode.spec.id):
        by_candidate[episode.spec.candidate].append(episode)
    return by_candidate


def _turns(measured: Mapping[str, MeasuredCandidate]) -> int:
    return max((each.arrays.turns for each in measured.values()), default=0)


def _goals(personas: Mapping[str, Persona]) -> dict[str, list[str]]:
    return {id: [goal.id for goal in persona.goals] for id, persona in personas.items()}


def _version() -> str:
    try:
        return version("holdfast")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"


def _feelings(episodes: Sequence[EpisodeRecord], personas: Mapping[str, Persona]) -> frozenset[str]:
    named = {turn.said.feeling for episode in episodes for turn in episode.turns if turn.said.feeling}
    return frozenset(named.union(*(persona.feelings for persona in personas.values())))


def _pattern(pattern: EmpathyPattern) -> PatternInfo:
    return PatternInfo(title=pattern.title, target=pattern.target.model_dump(), advice=pattern.advice)


def _router(
    episodes: Sequence[EpisodeRecord], tasks: Mapping[str, TaskContext], context: ResultsContext
) -> RoutingResults | None:
    rng = np.random.default_rng(derive_seed(context.rng_seed, "router"))
    pattern_of = {id: task.pattern for id, task in tasks.items()}
    routing = routing_accuracy(episodes, pattern_of, rng, context.draws)
    if routing is None:
        return None
    return RoutingResults(
        accuracy=routing.accuracy,
        lo=routing.lo,
        hi=routing.hi,
        n=routing.n,
        pattern_accuracy=routing.pattern_accuracy,
        confusion={true: dict(row) for true, row in routing.confusion.items()},
        accuracy_by_turn=[RoutingPoint(turn=turn, accuracy=share, n=n) for turn, share, n in routing.by_turn],
    )
