"""Episodes -> results.json: everything that a study measured, in one plain dict.

The shape is published as a JSON Schema in ``schema.json`` beside this file, with a description of each field.
Undefined numbers are nan inside and null in the file, with the reason in the candidate's ``notes``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.core.atomic import drafted
from holdfast.core.seeds import derive_seed
from holdfast.agents.users.state import DESIRED_ON_PERCEIVED_SCALE
from holdfast.personas.schema import EmpathyPattern, Persona, TaskContext
from holdfast.simulator.results.candidates import ResultsContext, MeasuredCandidate, candidate_results
from holdfast.simulator.results.headline import headline
from holdfast.simulator.measure.bootstrap import DRAWS
from holdfast.simulator.measure.extract import extract
from holdfast.simulator.measure.routing_accuracy import routing_accuracy
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.results.pairs import pairwise_results, survival_pairs
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.shapes import plain
from holdfast.simulator.results.simulators import simulator_results

__all__ = ["SCHEMA_VERSION", "build_results", "headline", "write_results"]

SCHEMA_VERSION = 1


def build_results(
    episodes: Sequence[EpisodeRecord],
    *,
    tasks: Mapping[str, TaskContext],
    patterns: Mapping[str, EmpathyPattern],
    personas: Mapping[str, Persona],
    study_name: str,
    seed: int,
    baseline: str | None,
    timings_s: Mapping[str, float],
    provenance: Mapping[str, Any],
    population: Mapping[str, Any] | None = None,
    rng_seed: int = 0,
    draws: int = DRAWS,
) -> dict[str, Any]:
    """Measure a study. The result is JSON-safe, and the same whatever the order of ``episodes``.

    ``tasks``, ``patterns``, ``personas``: by id, at least those that the episodes name (KeyError otherwise).
    ``baseline``: the candidate that gap reduction and score factor compare with; None or absent leaves both null.
    ``timings_s``, ``provenance``, ``population`` are taken over as they are. ``rng_seed`` seeds every resample,
    ``draws`` is their number.
    """
    context = ResultsContext(
        target_of_task={id: patterns[task.pattern].target.as_array() for id, task in tasks.items()},
        feelings=frozenset(_feelings(episodes, personas)),
        rng_seed=rng_seed,
        draws=draws,
    )
    desired = {id: DESIRED_ON_PERCEIVED_SCALE[persona.desired_empathy] for id, persona in personas.items()}
    measured = {name: MeasuredCandidate.of(arrays, context) for name, arrays in extract(episodes, desired).items()}
    compared_with = measured.get(baseline) if baseline is not None else None
    results = {
        "schema_version": SCHEMA_VERSION,
        "holdfast_version": _version(),
        "study": study_name,
        "seed": seed,
        "transcripts_sha256": transcripts_sha256(episodes),
        "turns": max((each.arrays.turns for each in measured.values()), default=0),
        "episodes": len(episodes),
        "failed_episodes": sum(episode.error is not None for episode in episodes),
        "unfinished_episodes": sum(episode.unfinished for episode in episodes),
        "baseline": baseline if compared_with else None,
        "tasks": {id: {"title": task.title, "pattern": task.pattern} for id, task in tasks.items()},
        "patterns": {id: _pattern(pattern) for id, pattern in patterns.items()},
        "candidates": {
            name: candidate_results(
                each, [episode for episode in episodes if episode.spec.candidate == name], compared_with, context
            )
            for name, each in measured.items()
        },
        "simulators": simulator_results(episodes, desired, personas, context),
        "pairwise": pairwise_results(measured, context),
        "pairwise_survival": survival_pairs(measured, context),
        "router": _router(episodes, {id: task.pattern for id, task in tasks.items()}, context),
        "population": population,
        "timings_s": timings_s,
        "provenance": provenance,
    }
    safe: dict[str, Any] = plain(results)
    return {**safe, "headline": headline(safe)}


def write_results(path: Path, results: Mapping[str, Any]) -> None:
    """Write ``results`` as JSON: the whole file appears at once, or (OSError, ValueError on nan) the old one stays."""
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with drafted(path) as draft:
        draft.write_text(text, encoding="utf-8")


def _version() -> str:
    try:
        return version("holdfast")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"


def _feelings(episodes: Sequence[EpisodeRecord], personas: Mapping[str, Persona]) -> set[str]:
    known = {feeling for persona in personas.values() for feeling in persona.feelings}
    return known | {turn.said.feeling for episode in episodes for turn in episode.turns if turn.said.feeling}


def _pattern(pattern: EmpathyPattern) -> dict[str, Any]:
    return {"title": pattern.title, "target": pattern.target.model_dump(), "advice": pattern.advice}


def _router(
    episodes: Sequence[EpisodeRecord], pattern_of: Mapping[str, str], context: ResultsContext
) -> dict[str, Any] | None:
    rng = np.random.default_rng(derive_seed(context.rng_seed, "router"))
    found = routing_accuracy(episodes, pattern_of, rng, context.draws)
    if found is None:
        return None
    return {
        "accuracy": found.accuracy,
        "lo": found.lo,
        "hi": found.hi,
        "n": found.n,
        "pattern_accuracy": found.pattern_accuracy,
        "confusion": found.confusion,
        "accuracy_by_turn": [{"turn": turn, "accuracy": share, "n": n} for turn, share, n in found.by_turn],
    }
