"""The whole loop of a study: train experts where it asks for them, hold the conversations, measure, write the report.

::

    study.yaml ─► plan ─► experts (dialogues, LoRA, router) ─► conversations ─► journal ─► results.json ─► report.html
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.callbacks import Callbacks

from holdfast.adapters.dialogues.writing import TrainingPeople
from holdfast.adapters.experts import train_experts
from holdfast.adapters.micro import ablation
from holdfast.adapters.progress import StageProgress
from holdfast.adapters.progress import silent
from holdfast.adapters.routing.router import WordRouter
from holdfast.core.errors import InputError, JournalError
from holdfast.simulator.runtime.session import RUN_FILE, Session, kept_timings, noting, on_disk, read_json, replaying, versions
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.monitor.progress import Progress
from holdfast.simulator.engine.rounds import population_json
from holdfast.simulator.engine.run import JOURNAL, run_study, run_study_async
from holdfast.simulator.monitor.running_means import pattern_targets
from holdfast.simulator.runtime.resources import Resources, experts_in, need_experts, open_resources, trained_in, user_for, user_prompts
from holdfast.simulator.runtime.executor import LOCAL, Executor, with_processes
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.results.build import build_results, write_results
from holdfast.simulator.config.study import StudyConfig, load_study, write_study

RESULTS, REPORT = "results.json", "report.html"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is told how far things are."""

    stage: StageProgress = silent
    conversations: Progress | None = None


def run_loop(
    study: StudyConfig,
    out: Path,
    *,
    resume: bool = False,
    viewer: Viewer | None = None,
    replay: Path | None = None,
    callbacks: Callbacks = None,
    place: Executor = LOCAL,
) -> dict[str, Any]:
    """Do all that ``study`` asks for in the folder ``out``, and return the results.

    ``resume`` goes on from whatever stands in ``out``: trained adapters are kept, finished turns are not held again.
    ``replay``: a run folder whose journal gives the candidates' replies; no model is loaded and nothing is trained.
    ``callbacks``: LangChain handlers that hear of every conversation, node and model call.
    ``place``: where models are loaded and conversations held (training stays in this process). No result depends on it.

    Raises:
        InputError, ModelError, JournalError: see the parts; what was written before stays.
        BudgetError: the study's budget is spent; ``resume`` goes on from there.
        KeyboardInterrupt: on Ctrl-C; ``resume`` goes on from there.
    """
    viewer = viewer or Viewer()
    ready = _ready(study, out, resume=resume, viewer=viewer, replay=replay, place=place)
    with ready as company, noting(company, out):
        run_study(**company.arguments(), out=out, resume=resume, progress=viewer.conversations, callbacks=callbacks)
    return report(out, viewer=viewer)


async def run_loop_async(
    study: StudyConfig,
    out: Path,
    *,
    resume: bool = False,
    viewer: Viewer | None = None,
    replay: Path | None = None,
    callbacks: Callbacks = None,
) -> dict[str, Any]:
    """As :func:`run_loop`, in an event loop of one's own: training and report run in threads beside it."""
    viewer = viewer or Viewer()
    ready = _ready(study, out, resume=resume, viewer=viewer, replay=replay)
    company = await asyncio.to_thread(ready.__enter__)
    try:
        with noting(company, out):
            await run_study_async(
                **company.arguments(), out=out, resume=resume, progress=viewer.conversations, callbacks=callbacks
            )
    finally:
        ready.__exit__(None, None, None)
    return await asyncio.to_thread(report, out, viewer=viewer)


@contextmanager
def _ready(
    study: StudyConfig, out: Path, *, resume: bool, viewer: Viewer, replay: Path | None, place: Executor = LOCAL
) -> Iterator[Session]:
    """Load or train what the conversations need; or, for a replay, open the journal that speaks instead."""
    plan = resolve(study)
    if viewer.conversations is not None:
        viewer.conversations.expect(pattern_targets(plan.tasks, plan.patterns))
    if replay is not None and replay.resolve() == out.resolve():
        raise InputError(f"{out}: a replay needs a run folder of its own; name another --out")
    _can_be_made(out)
    if not resume and (out / JOURNAL).exists():
        raise JournalError(f"{out} holds a run already; go on with --resume, or name another --out")
    timings = kept_timings(out) if resume else {}
    if replay is not None:
        with Journal.read(replay / JOURNAL) as old:
            yield replaying(plan, old, replay, timings)
        return
    with closing(open_resources(study, with_processes(place, _replies(plan)))) as house:
        experts, router, training_timings = _experts(plan, house, out, resume, viewer)
        need_experts(study, experts)
        house.add_experts(experts)
        inputs = house.inputs(experts) | user_prompts(study)
        made = provenance(house, inputs)
        yield Session(plan, house.troupe(plan, router), inputs, made, timings | training_timings, house.counters)


def train(study: StudyConfig, out: Path, *, viewer: Viewer | None = None) -> dict[str, Any]:
    """Only the dialogues, adapters and router of ``study``, in ``out``; returns what training measured.

    Raises:
        InputError: the study has no ``training`` section, or ``out`` has adapters already.
    """
    if study.training is None:
        raise InputError("the study has no 'training' section: nothing to train")
    if (trained_in(out) / "training.json").exists():
        raise InputError(f"{out} holds trained adapters already; name another --out")
    _can_be_made(out)
    plan = resolve(study)
    with closing(open_resources(study, with_processes(LOCAL, _replies(plan)))) as house:
        _train(plan, house, out, (viewer or Viewer()).stage)
    write_study(study, out / "study.yaml")
    return read_json(trained_in(out) / "training.json")


def report(out: Path, *, viewer: Viewer | None = None) -> dict[str, Any]:
    """Make ``results.json`` and ``report.html`` from the journal in ``out``; returns the results.

    Raises:
        InputError: ``out`` holds no study, or no journal.
        JournalError: its journal is damaged.
    """
    from holdfast.simulator.report.page import write_report

    stage = (viewer or Viewer()).stage
    if not (out / "study.yaml").exists():
        raise InputError(f"{out} holds no study.yaml: not a run folder")
    plan = resolve(load_study(out / "study.yaml"))
    run = read_json(out / RUN_FILE) if (out / RUN_FILE).exists() else {"timings_s": {}, "provenance": {}}
    with Journal.read(out / JOURNAL) as journal:
        episodes = list(journal.episodes(measured=True))
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
    with on_disk(out):
        write_results(out / RESULTS, results)
        stage("drawing", 1, 2)
        write_report(out / REPORT, results, episodes, plan.personas)
    stage("drawing", 2, 2)
    return results


def provenance(house: Resources, inputs: Mapping[str, str]) -> dict[str, Any]:
    """Versions and hashes that the transcripts follow from."""
    from holdfast.agents.prompts import prompt_hashes

    microcosm = any(spec.ref == "micro" for spec in house.references)
    return {
        **versions(("torch", "transformers", "peft", "trl", "langgraph", "numpy")),
        "model": house.default.in_words,
        "microcosm": microcosm,
        **({"ablation": ablation()} if microcosm else {}),
        "inputs": dict(inputs),
        "rater": {"id": house.rater.identity.id, "version": house.rater.identity.version},
        "prompts": prompt_hashes(),
    }


def _experts(
    plan: Plan, house: Resources, out: Path, resume: bool, viewer: Viewer
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


def _train(plan: Plan, house: Resources, out: Path, stage: StageProgress) -> dict[str, float]:
    assert plan.study.training is not None
    assert plan.split is not None
    world = TrainingPeople(split=plan.split, tasks=plan.tasks, patterns=plan.patterns, agent_for=user_for)
    work = train_experts(
        plan.study.training, world, house.base, house.rater, out=out, seed=plan.study.seed, progress=stage
    )
    return dict(asyncio.run(work).timings_s)


def _replies(plan: Plan) -> int:
    """How many replies models will be asked for at most."""
    training = plan.study.training
    steered = 0 if training is None else training.dialogues_per_pattern * training.turns * training.samples
    return sum(spec.max_turns for spec in plan.episodes) + steered


def _population(plan: Plan, episodes: list[Any]) -> dict[str, Any] | None:
    names = plan.study.candidate_names
    return population_json(plan, episodes, "routed" if "routed" in names else names[-1])


def _can_be_made(out: Path) -> None:
    """An InputError where ``out`` can be no run folder. It is not left there: the study may still be refused."""
    try:
        absent = [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # somebody has put something there meanwhile
            for folder in absent:
                folder.rmdir()
    except OSError as error:
        raise InputError(f"{out}: the run folder cannot be made ({error.strerror})") from error
