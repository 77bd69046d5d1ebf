"""A whole study: train experts where it asks for them, hold the conversations, measure, write the report.

::

    study.yaml ─► plan ─► experts (dialogues, LoRA, router) ─► conversations ─► journal ─► results.json ─► report.html
"""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from langchain_core.callbacks import Callbacks

from holdfast.adapters.dialogues.export import read_jsonl
from holdfast.adapters.experts import (
    DIALOGUES,
    RECORD,
    train_experts,
    trained_record,
)
from holdfast.adapters.progress import StageProgress
from holdfast.core.errors import HaltedError, InputError, ModelError, TakenError, TrainingError
from holdfast.core.wording import how_many
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import STUDY_FILE, write_study
from holdfast.simulator.engine.rounds import population_json
from holdfast.simulator.engine.run import run_study
from holdfast.simulator.journal.locking import locked_folder
from holdfast.simulator.journal.store import JOURNAL, Journal
from holdfast.simulator.labelling.store import LabelFolder
from holdfast.simulator.monitor.running_means import pattern_targets
from holdfast.simulator.monitor.viewer import Viewer
from holdfast.simulator.results.build import build_results
from holdfast.simulator.results.model import Results
from holdfast.simulator.results.store import RESULTS, write_results
from holdfast.simulator.runtime.adapters import adapters_in, check_adapters, trained_in
from holdfast.simulator.runtime.executor import LOCAL, Executor, with_processes
from holdfast.simulator.runtime.prompt_rehearsal import rehearse_prompts
from holdfast.simulator.runtime.recorded_run import RecordedRun, read_recorded_run
from holdfast.simulator.runtime.resources import Resources, open_resources
from holdfast.simulator.runtime.resuming import check_resumed, is_trained
from holdfast.simulator.runtime.run_folder import (
    REPORT,
    on_disk,
    read_json,
    read_run_file,
    record_run,
    recorded_timings,
)
from holdfast.simulator.runtime.session import Session, replay_session, session_of


async def run_pipeline(
    study: StudyConfig,
    out: Path,
    *,
    resume: bool = False,
    viewer: Viewer | None = None,
    replay: Path | None = None,
    callbacks: Callbacks = None,
    executor: Executor = LOCAL,
    wait_for_endpoint: float = 0.0,
) -> Results:
    """Do all that ``study`` asks for in the folder ``out``, and return the results.

    Loading, training and the report run in threads beside the event loop.

    Args:
        resume: Go on from whatever stands in ``out``: trained adapters are kept, finished turns are not held again.
        replay: A run folder whose journal gives the candidates' replies; no model is loaded and nothing is trained.
        callbacks: LangChain handlers that hear of every conversation, node and model call.
        executor: Where models are loaded and conversations held; training stays in this process. No result
            depends on it.
        wait_for_endpoint: Seconds that an endpoint is waited for that is still loading.

    Raises:
        InputError, ModelError, JournalError: See the parts; what was written before stays.
        ModelError: The run has failed as a whole (see :class:`holdfast.simulator.engine.run.RunOutcome`); results and
            report are written.
        BudgetError: The study's budget is spent; ``resume`` goes on from there.
        KeyboardInterrupt: On Ctrl-C; ``resume`` goes on from there.
    """
    viewer, plan = viewer or Viewer(), resolve(study)
    if replay is not None and replay.resolve() == out.resolve():
        raise InputError(f"{out}: a replay needs a run folder of its own; name another --out")
    with locked_folder(out, JOURNAL) as lock:
        if not resume and os.path.lexists(out / JOURNAL):
            raise TakenError(f"{out} holds a run already; go on with --resume, or name another --out")
        if resume:
            check_resumed(plan, out)
        timings = recorded_timings(read_run_file(out)) if resume else {}
        loaded = _loaded_session(plan, out, resume, viewer, executor, timings, wait_for_endpoint)
        async with loaded if replay is None else _replayed_session(plan, replay) as session:
            scale = next(iter(session.raters.values())).scale
            viewer.conversations.expect(pattern_targets(plan.tasks, plan.patterns, scale), scale)
            with record_run(out, timings, session.provenance):
                outcome = await run_study(
                    session, out, resume=resume, progress=viewer.conversations, callbacks=callbacks, lock=lock
                )
    results = await asyncio.to_thread(report, out, viewer=viewer)
    if outcome.failure is not None:
        planned = how_many(results.episodes, "conversation")
        ended = f"{outcome.episodes} of {planned} came to an end, {outcome.failed} failed"
        raise ModelError(
            f"{outcome.failure}\nThe run has failed: {ended}. Put that right and go on with --resume; "
            f"holdfast status {out} and {out / REPORT} show what there is"
        )
    return results


@asynccontextmanager
async def _loaded_session(
    plan: Plan, out: Path, resume: bool, viewer: Viewer, executor: Executor, timings: dict[str, float], wait_s: float
) -> AsyncIterator[Session]:
    """Load or train what the conversations need, and close it afterwards. Seconds of training go into ``timings``."""
    check_adapters(plan)
    study = plan.study
    resources = await _opened(plan, viewer.stage, executor, wait_s)
    with closing(resources):
        await rehearse_prompts(plan, resources.references)
        if study.training is not None and not (resume and is_trained(resources, out)):
            timings |= await _train(resources, out, viewer.stage)
        folder = trained_in(out) if study.training is not None else study.adapters
        ready = await resources.with_adapters(*adapters_in(folder, plan))
        yield session_of(ready.with_exchanges(folder))


async def _opened(plan: Plan, show: StageProgress, executor: Executor = LOCAL, wait_s: float = 0.0) -> Resources:
    """Open what the plan needs in a thread, which ends soon after a stop where it fetches a model."""
    stopped = threading.Event()

    def progress(stage: str, done: int, total: int) -> None:
        if stopped.is_set():
            raise HaltedError("the run is being stopped")
        show(stage, done, total)

    try:
        many = with_processes(executor, _replies(plan))
        return await asyncio.to_thread(open_resources, plan, many, wait_s, progress)
    finally:
        stopped.set()


@asynccontextmanager
async def _replayed_session(plan: Plan, folder: Path) -> AsyncIterator[Session]:
    with Journal.read(folder / JOURNAL) as journal:
        yield replay_session(plan, journal, folder)


async def train(study: StudyConfig, out: Path, *, viewer: Viewer | None = None) -> dict[str, Any]:
    """Write only the dialogues, adapters and router of ``study``, in ``out``; returns what training measured.

    Raises:
        InputError: The study has no ``training`` section, or ``out`` has adapters already.
    """
    if study.training is None:
        raise InputError("the study has no 'training' section: nothing to train")
    plan = resolve(study)
    with locked_folder(out, JOURNAL):
        if os.path.lexists(out / RECORD):
            raise InputError(f"{out} holds trained adapters already; name another --out")
        stage = (viewer or Viewer()).stage
        resources = await _opened(plan, stage)
        with closing(resources):
            await rehearse_prompts(plan, resources.references)
            await _train(resources, out, stage)
        write_study(study, out / STUDY_FILE)
    return read_json(out / RECORD)


def report(out: Path, *, viewer: Viewer | None = None) -> Results:
    """Make ``results.json`` and ``report.html`` from the journal in ``out``; returns the results.

    Raises:
        InputError: ``out`` holds no study, or no journal.
        JournalError: Its journal is damaged.
    """
    from holdfast.simulator.report.page import write_report

    stage = (viewer or Viewer()).stage
    run = read_recorded_run(out)
    began = time.perf_counter()
    stage("measuring", 0, 2)
    results = measured_results(run)
    timings = {**results.timings_s, "measuring": round(time.perf_counter() - began, 2)}
    results = results.model_copy(update={"timings_s": timings})
    with on_disk(out):
        write_results(out / RESULTS, results)
        stage("drawing", 1, 2)
        write_report(out / REPORT, results, run.episodes, run.plan.everybody)
    stage("drawing", 2, 2)
    return results


def measured_results(run: RecordedRun) -> Results:
    """Measure what a run folder holds; nothing is written."""
    plan, names = run.plan, run.plan.study.candidate_names
    return build_results(
        run.episodes,
        candidates=plan.study.arms,
        raters=run.raters,
        tasks=plan.tasks,
        patterns=plan.patterns,
        personas=plan.everybody,
        study_name=plan.study.name,
        seed=plan.study.seed,
        baseline=plan.study.baseline_name,
        labels=LabelFolder(run.out),
        trained_on=_trained_on(run.out),
        trainings=plan.study.trainings,
        holding=plan.study.holding,
        timings_s=run.timings_s,
        provenance={**run.provenance, "study_sha256": run.meta.get("study_sha256") or plan.sha256},
        population=population_json(plan, run.episodes, "routed" if "routed" in names else names[-1]),
    )


def _trained_on(out: Path) -> list[list[tuple[str, str]]]:
    """The dialogues in the run folder that adapters learned from, as (user, reply) pairs; none where they are damaged
    or gone, since a report rests on the journal alone."""
    if trained_record(out) is None:
        return []
    try:
        dialogues = [dialogue for file in sorted((out / DIALOGUES).glob("*.jsonl")) for dialogue in read_jsonl(file)]
    except InputError:
        return []
    said = [[message.content for message in dialogue.messages] for dialogue in dialogues]
    return [list(zip(each[::2], each[1::2], strict=True)) for each in said]


async def _train(resources: Resources, out: Path, stage: StageProgress) -> dict[str, float]:
    """Train the study's experts; returns the seconds of each part. Raises TrainingError where none can be trained."""
    training, study = resources.training, resources.plan.study
    routes = any(spec.kind == "routed" for spec in study.candidates)
    try:
        outcome = await train_experts(*training, out=out, seed=study.seed, test_router=routes, progress=stage)
    except ModelError as error:
        raise TrainingError(str(error)) from error
    return dict(outcome.timings_s)


def _replies(plan: Plan) -> int:
    """How many replies models will be asked for at most."""
    training = plan.study.training
    steered = 0 if training is None else training.dialogues_per_pattern * training.turns * training.samples
    return sum(spec.max_turns for spec in plan.episodes) + steered
