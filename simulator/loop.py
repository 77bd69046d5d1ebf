"""The whole loop of a study: train experts where it asks for them, hold the conversations, measure, write the report.

::

    study.yaml ─► plan ─► experts (dialogues, LoRA, router) ─► conversations ─► journal ─► results.json ─► report.html
"""

from __future__ import annotations

import asyncio
import json
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.dialogues import World
from adapters.experts import train_experts
from adapters.progress import Progress as StageProgress
from adapters.progress import silent
from adapters.routing import WordRouter
from personas.errors import InputError, JournalError
from simulator.engine.journal import Journal
from simulator.engine.progress import Progress
from simulator.engine.rounds import population_json
from simulator.engine.run import JOURNAL, run_study
from simulator.house import House, experts_in, need_experts, open_house, trained_in, user_for
from simulator.place import HERE, Place
from simulator.plan import Plan, resolve
from simulator.results import build_results, write_results
from simulator.study import StudyConfig, load_study, write_study

RUN_FILE = "run.json"  # what a run did besides its conversations: seconds by stage, versions, hashes
RESULTS, REPORT = "results.json", "report.html"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is told how far things are."""

    stage: StageProgress = silent
    conversations: Progress | None = None


def run_loop(
    study: StudyConfig, out: Path, *, resume: bool = False, viewer: Viewer | None = None, place: Place = HERE
) -> dict[str, Any]:
    """Do all that ``study`` asks for in the folder ``out``, and return the results.

    ``resume`` goes on from whatever stands in ``out``: trained adapters are kept, finished turns are not held again.
    ``place``: where models are loaded and conversations held (training stays in this process). No result depends on it.

    Raises:
        InputError, ModelError, JournalError: see the parts; what was written before stays.
        KeyboardInterrupt: on Ctrl-C; ``resume`` goes on from there.
    """
    viewer = viewer or Viewer()
    plan = resolve(study)
    _writable(out)
    if not resume and (out / JOURNAL).exists():
        raise JournalError(f"{out} holds a run already; go on with --resume, or name another --out")
    house = open_house(study, place)
    timings = _kept_timings(out) if resume else {}
    experts, router, training_timings = _experts(plan, house, out, resume, viewer)
    timings |= training_timings
    need_experts(study, experts)
    house.add_experts(experts)
    inputs = house.inputs(experts)
    troupe = house.troupe(plan, router)
    began = time.perf_counter()
    try:
        run_study(plan, troupe, out, resume=resume, progress=viewer.conversations, inputs=inputs)
    finally:
        timings["conversations"] = timings.get("conversations", 0.0) + time.perf_counter() - began
        _write_json(out / RUN_FILE, {"timings_s": _rounded(timings), "provenance": provenance(house, inputs)})
    return report(out, viewer=viewer)


def train(study: StudyConfig, out: Path, *, viewer: Viewer | None = None) -> dict[str, Any]:
    """Only the dialogues, adapters and router of ``study``, in ``out``; returns what training measured.

    Raises:
        InputError: the study has no ``training`` section, or ``out`` has adapters already.
    """
    if study.training is None:
        raise InputError("the study has no 'training' section: nothing to train")
    if (trained_in(out) / "training.json").exists():
        raise InputError(f"{out} holds trained adapters already; name another --out")
    _writable(out)
    plan = resolve(study)
    house = open_house(study)
    _train(plan, house, out, (viewer or Viewer()).stage)
    write_study(study, out / "study.yaml")
    return _read_json(trained_in(out) / "training.json")


def report(out: Path, *, viewer: Viewer | None = None) -> dict[str, Any]:
    """Make ``results.json`` and ``report.html`` from the journal in ``out``; returns the results.

    Raises:
        InputError: ``out`` holds no study.
        JournalError: its journal is absent or damaged.
    """
    from simulator.report.page import write_report  # brings matplotlib

    stage = (viewer or Viewer()).stage
    if not (out / "study.yaml").exists():
        raise InputError(f"{out} holds no study.yaml: not a run folder")
    plan = resolve(load_study(out / "study.yaml"))
    run = _read_json(out / RUN_FILE) if (out / RUN_FILE).exists() else {"timings_s": {}, "provenance": {}}
    with Journal.read(out / JOURNAL) as journal:
        episodes = list(journal.episodes())
    began = time.perf_counter()
    stage("measuring", 0, 2)
    results = build_results(
        episodes,
        tasks=plan.tasks,
        patterns=plan.patterns,
        personas=plan.personas,
        study_name=plan.study.name,
        seed=plan.study.seed,
        baseline=plan.study.baseline_name,
        timings_s=run["timings_s"],
        provenance={**run["provenance"], "study_sha256": plan.sha256},
        population=_population(plan, episodes),
        rng_seed=plan.study.seed,
    )
    results["timings_s"] = {**run["timings_s"], "measuring": round(time.perf_counter() - began, 2)}
    write_results(out / RESULTS, results)
    stage("drawing", 1, 2)
    write_report(out / REPORT, results, episodes, plan.personas)
    stage("drawing", 2, 2)
    return results


def provenance(house: House, inputs: Mapping[str, str]) -> dict[str, Any]:
    """Versions and hashes that the transcripts follow from."""
    from importlib.metadata import version

    from agents.prompts import prompt_hashes

    packages = ("torch", "transformers", "peft", "trl", "langgraph", "numpy")
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
        "model": house.default,
        "microcosm": "micro" in house.references,
        "inputs": dict(inputs),
        "rater": {"id": house.rater.id, "version": house.rater.version},
        "prompts": prompt_hashes(),
    }


def _experts(
    plan: Plan, house: House, out: Path, resume: bool, viewer: Viewer
) -> tuple[dict[str, Path], WordRouter | None, dict[str, float]]:
    """Adapters by name, the router, and the seconds that making them took."""
    study = plan.study
    if study.training is None:
        experts, router = experts_in(Path(study.adapters)) if study.adapters else ({}, None)
        return experts, router, {}
    timings: dict[str, float] = {}
    if not (resume and (trained_in(out) / "training.json").exists()):
        timings = _train(plan, house, out, viewer.stage)
    return (*experts_in(trained_in(out)), timings)


def _train(plan: Plan, house: House, out: Path, stage: StageProgress) -> dict[str, float]:
    assert plan.study.training is not None
    assert plan.split is not None
    world = World(split=plan.split, tasks=plan.tasks, patterns=plan.patterns, agent_for=user_for)
    work = train_experts(
        plan.study.training, world, house.base, house.rater, out=out, seed=plan.study.seed, progress=stage
    )
    return dict(asyncio.run(work).timings_s)


def _population(plan: Plan, episodes: list[Any]) -> dict[str, Any] | None:
    names = plan.study.candidate_names
    return population_json(plan, episodes, "routed" if "routed" in names else names[-1])


def _writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: the run folder cannot be made ({error.strerror})") from error


def _kept_timings(out: Path) -> dict[str, float]:
    return dict(_read_json(out / RUN_FILE)["timings_s"]) if (out / RUN_FILE).exists() else {}


def _rounded(timings: Mapping[str, float]) -> dict[str, float]:
    return {stage: round(seconds, 2) for stage, seconds in timings.items()}


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds no JSON object")
    return value
