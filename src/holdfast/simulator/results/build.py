"""Episodes -> :class:`Results`: everything that a study measured."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import combinations
from math import nan
from types import MappingProxyType
from typing import Any

from holdfast.agents.assistants.specs import CandidateSpec
from holdfast.personas.schema import EmpathyPattern, Persona, TaskContext
from holdfast.simulator.config.holding import ASSUMED, HoldingTerms
from holdfast.simulator.labelling.store import LabelFolder
from holdfast.simulator.measure.bootstrap import DRAWS, too_few
from holdfast.simulator.measure.decay.log_rank import log_rank
from holdfast.simulator.measure.decay.survival import first_violations
from holdfast.simulator.measure.pairwise import PairResults, benjamini_hochberg, holm
from holdfast.simulator.measure.routing_accuracy import routing_accuracy
from holdfast.simulator.measure.text.verbatim import Talk
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.monitor.running_means import pattern_targets
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.candidate_model import CandidateResults, SurvivalPairResults
from holdfast.simulator.results.candidates import candidate_results
from holdfast.simulator.results.context import MeasuredCandidate, ResultsContext, measured_candidates
from holdfast.simulator.results.felt import apart, felt_results
from holdfast.simulator.results.harm import harmed_tasks
from holdfast.simulator.results.headline import choose, headline
from holdfast.simulator.results.holding import holds_results
from holdfast.simulator.results.labelled import label_results
from holdfast.simulator.results.lost_prompts import lost_prompts
from holdfast.simulator.results.model import (
    PatternInfo,
    PopulationResults,
    RaterInfo,
    Results,
    TaskInfo,
    installed_version,
)
from holdfast.simulator.results.pairs import pair_of, pairwise_results
from holdfast.simulator.results.simulators import simulator_results
from holdfast.simulator.results.trainings import training_differences
from holdfast.simulator.results.user_faults import user_fault_results
from holdfast.simulator.results.validated import unvalidated
from holdfast.simulator.results.verbatim import verbatim_results
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
    labels: LabelFolder | None = None,
    trained_on: Sequence[Talk] = (),
    trainings: Mapping[str, Sequence[str]] = MappingProxyType({}),
    holding: HoldingTerms = ASSUMED,
    draws: int = DRAWS,
) -> Results:
    """Measure a study; the same whatever the order of ``episodes``.

    Args:
        candidates: What the study says of its candidates, at least of those that the episodes name.
        raters: The primary one first, feelers last.
        tasks, patterns, personas: By id (variants by the agent's), all that episodes name; a KeyError where one lacks.
        baseline: The candidate to compare with; None or absent leaves gap reduction and score factor undefined.
        timings_s, provenance, population: Taken over as they are.
        labels: What people said of these replies, if anybody was asked. trained_on: What the run's adapters learned.
        trainings: Arm -> the candidates that its trainings are. holding: What "holds" is tested against.
        draws: Number of resamples; ``seed`` seeds them.
    """
    feelings, (raters, feelers, own) = _feelings(episodes, personas), apart(raters)
    target_of = pattern_targets(tasks, patterns, raters[0].scale)
    context = ResultsContext(target_of, raters, personas, feelings, seed, draws, own, feelers, holding)
    measured = measured_candidates(episodes, context)
    baseline = baseline if baseline in measured else None
    pairs = pairwise_results(measured, _trained(candidates), context)
    parts = _candidates(candidates, measured, pairs, baseline or "", context)
    return Results(
        holdfast_version=installed_version(),
        study=study_name,
        seed=seed,
        transcripts_sha256=transcripts_sha256(episodes),
        **_recorded(provenance) | _extent(episodes, measured),
        baseline=baseline,
        **_comparisons(measured, parts, pairs, trainings, baseline, context),
        tasks={id: TaskInfo.model_validate(task) for id, task in tasks.items()},
        patterns={id: PatternInfo.model_validate(pattern.model_dump()) for id, pattern in patterns.items()},
        raters=list(raters),
        agreement=agreement_results(measured, context),
        candidates=parts,
        felt=felt_results(measured, baseline, context),
        **_validated(labels, measured, context),
        **verbatim_results(trained_on, measured, context),
        **_users(episodes, candidates, baseline or "", context),
        router=routing_accuracy(episodes, tasks, context.rng("router"), draws),
        population=None if population is None else PopulationResults.model_validate(population),
        timings_s=dict(timings_s),
    )


def _users(
    episodes: Sequence[EpisodeRecord], specs: Sequence[CandidateSpec], baseline: str, context: ResultsContext
) -> dict[str, Any]:
    """Return the parts on who played the users, and whether they are at fault."""
    return {
        "simulators": simulator_results(episodes, _trained(specs), baseline, context),
        "user_faults": user_fault_results(
            episodes, context.personas, lambda kept: _headline_of(kept, specs, baseline, context)
        ),
    }


def _trained(specs: Sequence[CandidateSpec]) -> dict[str, bool]:
    """Return which candidates speak through adapters, by name."""
    return {spec.name: spec.trained for spec in specs}


def _headline_of(
    episodes: Sequence[EpisodeRecord], specs: Sequence[CandidateSpec], baseline: str, context: ResultsContext
) -> str:
    """Return the finding over some of the study's conversations."""
    measured = measured_candidates(episodes, context)
    pairs = pairwise_results(measured, _trained(specs), context)
    named = baseline if baseline in measured else None
    return headline(_turns(measured), _candidates(specs, measured, pairs, named or "", context), pairs, named)


def _validated(
    labels: LabelFolder | None, measured: Mapping[str, MeasuredCandidate], context: ResultsContext
) -> dict[str, Any]:
    """Return what people said of these replies; and where nobody was asked, what raters were never held against."""
    labelled = None if labels is None else label_results(labels, measured, context)
    tasks = {task for each in measured.values() for task in each.arrays.tasks}
    met = {episode.spec.persona for each in measured.values() for episode in each.arrays.episodes}
    spoken = {context.personas[id].language for id in met}
    return {"labels": labelled, "unvalidated": unvalidated(tasks, spoken) if labelled is None else ""}


def _candidates(
    specs: Sequence[CandidateSpec],
    measured: Mapping[str, MeasuredCandidate],
    pairs: Sequence[PairResults],
    baseline: str,
    context: ResultsContext,
) -> dict[str, CandidateResults]:
    spec_of, rival, lost = {spec.name: spec for spec in specs}, measured.get(baseline), lost_prompts(specs, measured)
    verdicts = holds_results(measured, pairs, baseline, context)
    parts = {
        name: candidate_results(spec_of[name], each, rival, context, verdicts[name]) for name, each in measured.items()
    }
    return {name: part.model_copy(update={"prompt_lost": lost.get(name, "")}) for name, part in parts.items()}


def _comparisons(
    measured: Mapping[str, MeasuredCandidate],
    parts: Mapping[str, CandidateResults],
    pairs: Sequence[PairResults],
    trainings: Mapping[str, Sequence[str]],
    baseline: str | None,
    context: ResultsContext,
) -> dict[str, Any]:
    """Return the parts that set candidates against each other, and the headline that they give."""
    first, second = choose(parts, baseline) if parts else ("", None)
    named = pair_of(pairs, first, second) if second is not None else None
    return {
        "headline": headline(_turns(measured), parts, pairs, baseline),
        "undecided": "" if named is None else named.doubt,
        "harmed": harmed_tasks(measured, baseline, context),
        "pairwise": list(pairs),
        "trainings": training_differences(pairs, trainings),
        "pairwise_survival": survival_pairs(measured, context),
    }


def _recorded(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The parts that a run recorded of itself."""
    reasons = provenance.get("not_reproducible")
    same = {} if reasons is None else {"byte_reproducible": not reasons, "not_reproducible": reasons}
    return {**same, "remark": provenance.get("remark", ""), "provenance": dict(provenance)}


def _turns(measured: Mapping[str, MeasuredCandidate]) -> int:
    return max((each.arrays.turns for each in measured.values()), default=0)


def _extent(episodes: Sequence[EpisodeRecord], measured: Mapping[str, MeasuredCandidate]) -> dict[str, Any]:
    """Count conversations and turns: those that failed, with the commonest causes, and those still owed turns."""
    causes = Counter(episode.error for episode in episodes if episode.error is not None)
    return {
        "turns": _turns(measured),
        "episodes": len(episodes),
        "failed_episodes": causes.total(),
        "failures": dict(causes.most_common(CAUSES_KEPT)),
        "unfinished_episodes": sum(episode.unfinished for episode in episodes),
    }


def survival_pairs(measured: Mapping[str, MeasuredCandidate], context: ResultsContext) -> list[SurvivalPairResults]:
    """Run the log-rank test of every pair; ``p_holm`` and ``p_bh`` adjust ``p_paired`` over all pairs."""
    first = {name: first_violations(each.adherence) for name, each in measured.items()}
    pairs = list(combinations(measured, 2))
    tests = [
        log_rank(
            first[a], first[b], (measured[a].arrays.groups, measured[b].arrays.groups), context.rng("log-rank", a, b)
        )
        for a, b in pairs
    ]
    few = [too_few(min(len(set(measured[name].arrays.groups)) for name in pair)) for pair in pairs]
    tests = [replace(t, p=nan, note=why) if why else t for t, why in zip(tests, few, strict=True)]
    ps = [test.p_paired for test in tests]
    adjusted = zip(pairs, tests, holm(ps), benjamini_hochberg(ps), strict=True)
    return [SurvivalPairResults(a=a, b=b, **asdict(test), p_holm=p, p_bh=q) for (a, b), test, p, q in adjusted]


def _feelings(episodes: Sequence[EpisodeRecord], personas: Mapping[str, Persona]) -> frozenset[str]:
    named = {turn.said.feeling for episode in episodes for turn in episode.turns if turn.said.feeling}
    return frozenset(named.union(*(persona.feelings for persona in personas.values())))
