"""Train a study's experts: write dialogues, fit an adapter per pattern and a router, in one call."""

from __future__ import annotations

import asyncio
import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.drafts import DRAFTS, Drafts, hold_dialogues
from holdfast.adapters.dialogues.filtering import Standard
from holdfast.adapters.dialogues.steering import DialoguePlan
from holdfast.adapters.dialogues.writing import (
    DialogueFile,
    TrainingPeople,
    UserMessages,
    Writer,
    user_messages,
    write_dialogues,
)
from holdfast.adapters.inputs import TrainingBase, drafting_inputs, training_inputs
from holdfast.adapters.progress import StageProgress, silent
from holdfast.adapters.routing.fitting import RouterReport, assess_router, fit_router
from holdfast.adapters.routing.router import WordRouter
from holdfast.agents.assistants.specs import of_training
from holdfast.agents.models.local.adapter_folder import WEIGHTS_FILE
from holdfast.agents.protocols import ChatModel, KeepsConversations, Sampling
from holdfast.agents.raters.protocol import Rater
from holdfast.core.atomic import drafted
from holdfast.core.errors import JournalError
from holdfast.core.files import link_outside, read_file
from holdfast.core.hashing import file_sha256, weights_sha256
from holdfast.core.memory import return_freed
from holdfast.core.seeds import derive_seed

if TYPE_CHECKING:
    from holdfast.adapters.training.lora import TrainedAdapter

DIALOGUES, ADAPTERS, ROUTER = "dialogues", "adapters", "adapters/router.npz"
FINISHED = "finished.jsonl"  # among the adapters: those that a stopped training need not train again
RECORD = "adapters/training.json"  # written last: its presence says that training is complete
HELD_OUT_REPLICATES = 3  # conversations of each held-out persona that the router is tested on


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """Everything that was trained.

    ``adapters`` and ``dialogues`` by pattern; ``experts``: task -> adapter; ``timings_s``: wall clock.
    """

    adapters: Mapping[str, TrainedAdapter]
    dialogues: Mapping[str, DialogueFile]
    experts: Mapping[str, str]
    router: WordRouter
    router_report: RouterReport
    timings_s: Mapping[str, float]
    inputs: Mapping[str, object] = field(default_factory=dict)  # see training_inputs
    router_sha256: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return everything but the router's weights, ready for JSON."""
        return {
            "adapters": {
                name: asdict(adapter) | {"path": adapter.path.name} for name, adapter in self.adapters.items()
            },
            "dialogues": {name: asdict(file) | {"path": file.path.name} for name, file in self.dialogues.items()},
            "experts": dict(self.experts),
            "router": asdict(self.router_report) | {"sha256": self.router_sha256},
            "inputs": dict(self.inputs),
            "timings_s": {stage: round(seconds, 2) for stage, seconds in self.timings_s.items()},
        }


def trained_record(out: Path) -> dict[str, Any] | None:
    """Return what ``adapters/training.json`` in ``out`` says; None where no training has come to its end there.

    Raises:
        JournalError: the file is damaged.
    """
    path = out / RECORD
    try:
        record = json.loads(read_file(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise JournalError(f"{path}: cannot be read ({error}); train again in another --out") from error
    if not isinstance(record, dict):
        raise JournalError(f"{path}: holds no JSON object; train again in another --out")
    return record


def altered_since_training(record: Mapping[str, Any], out: Path) -> list[str]:
    """Return what lies in ``out`` otherwise than training left it: ``adapters/solver: its weights``."""
    trained = record.get("adapters")
    hashes = (
        {f"{ADAPTERS}/{name}/{WEIGHTS_FILE}": about for name, about in trained.items()}
        if isinstance(trained, dict)
        else {}
    )
    hashes[ROUTER] = record.get("router")
    altered = []
    for name, about in hashes.items():
        expected = about.get("sha256") if isinstance(about, dict) else None
        try:
            if expected is not None and file_sha256(out / name) != expected:
                altered.append(f"{name}: not the file that was trained")
        except OSError as error:
            altered.append(f"{name}: cannot be read ({error.strerror or error})")
    return altered


async def train_experts(
    config: TrainingConfig,
    world: TrainingPeople,
    base: TrainingBase,
    rater: Rater,
    *,
    out: Path,
    seed: int,
    test_router: bool = True,
    progress: StageProgress = silent,
) -> TrainingOutcome:
    """Write dialogues, train one adapter per pattern, fit the router; write all of it to ``out``.

    ``out`` then holds ``dialogues/PATTERN.jsonl``, ``adapters/PATTERN/``, ``adapters/router.npz`` and
    ``adapters/training.json``; ``drafts.jsonl`` every dialogue from the moment it is finished. A call that was stopped
    goes on from there, after the adapters that it had finished. The same arguments give the same files, but for the
    seconds in the last and the order in the drafts. ``test_router``: whether held-out people talk with the base to
    test the router, which takes as long as a tenth of the drafts; its weights are the same either way.

    Raises:
        InputError: no training persona needs a wanted pattern.
        JournalError: a link in ``out`` leads elsewhere, or its drafts are another study's or cannot be written.
        ModelError: the base does not load, or does not follow its system prompt well enough to learn from.
    """
    if (link := link_outside(out, DIALOGUES, ADAPTERS, DRAFTS)) is not None:
        raise JournalError(f"{link}: a link that leads out of {out}; nothing is written through it: remove it")
    inputs = training_inputs(config, world, base, rater, seed)
    started, laps = time.perf_counter(), dict[str, float]()

    def lap(stage: str) -> None:
        laps[stage] = time.perf_counter() - started - sum(laps.values())

    own = weights_sha256(base.path) if base.writer is None else None
    writer = Writer(base.writer or base.model, base.places, own, base.own_words)
    drafts = Drafts(out / DRAFTS, drafting_inputs(config, world, base, rater, seed))
    files, spoken = await write_dialogues(
        config, world, writer, rater, out=out / DIALOGUES, seed=seed, drafts=drafts, progress=progress
    )
    lap("dialogues")
    router = fit_router(spoken, world.tasks)
    router.save(out / ROUTER)
    held_out: Sequence[UserMessages] = ()
    if test_router:
        testing = partial(progress, "testing the router")
        held_out = await _held_out_messages(config, world, base.model, rater, testing, seed, drafts)
    report = assess_router(router, [messages for messages in held_out if messages.task in router.tasks])
    lap("router")
    for model in (base.model, base.writer):
        if isinstance(model, KeepsConversations):
            model.forget()  # training needs the memory
    adapters = await _train_adapters(config, base, files, out / ADAPTERS, seed, progress)
    return_freed()  # conversations need it now
    lap("training")
    experts = {task.id: task.pattern for task in world.tasks.values() if task.pattern in adapters}
    outcome = TrainingOutcome(adapters, files, experts, router, report, laps, inputs, file_sha256(out / ROUTER))
    with drafted(out / RECORD) as draft:
        draft.write_text(json.dumps(outcome.as_dict(), indent=2) + "\n", encoding="utf-8")
    (out / ADAPTERS / FINISHED).unlink(missing_ok=True)
    return outcome


async def _train_adapters(
    config: TrainingConfig,
    base: TrainingBase,
    files: Mapping[str, DialogueFile],
    out: Path,
    seed: int,
    progress: StageProgress,
) -> dict[str, TrainedAdapter]:
    """Train an adapter for each pattern, as often as the study says, once all dialogues have been read.

    Warns of what ``max_length`` cuts away.
    """
    from holdfast.adapters.training.finished import FinishedAdapters, training_sha256
    from holdfast.adapters.training.lora import AdapterJob, read_dialogues, train_adapter  # torch, not always needed

    jobs = [
        AdapterJob(
            name := of_training(pattern, number),
            base.path,
            base.name,
            file.path,
            out / name,
            derive_seed(seed, "train", pattern, *((number,) if number > 1 else ())),
            base.today,
        )
        for pattern, file in files.items()
        for number in range(1, config.replicates + 1)
    ]
    read = [await asyncio.to_thread(read_dialogues, job, config) for job in jobs]
    for job, data in zip(jobs, read, strict=True):
        if data.trained_on.lost and job.name in files:
            warnings.warn(
                f"{job.dialogues}: {data.trained_on.lost}; a larger max_length under 'training' (now "
                f"{config.max_length}) keeps more",
                stacklevel=2,
            )
    adapters, finished = dict[str, "TrainedAdapter"](), FinishedAdapters(out / FINISHED)
    for number, (job, data) in enumerate(zip(jobs, read, strict=True), start=1):
        report = partial(progress, f"training {job.name} ({number} of {len(jobs)}) on {data.trained_on}")
        inputs = await asyncio.to_thread(training_sha256, job, config, data)
        trained = finished.get(job, inputs)
        if trained is None:
            trained = await asyncio.to_thread(train_adapter, job, config, data, report)
            finished.add(inputs, trained)
        adapters[job.name] = trained
    return adapters


async def _held_out_messages(
    config: TrainingConfig,
    world: TrainingPeople,
    model: ChatModel,
    rater: Rater,
    on_turn: Callable[[int, int], None],
    seed: int,
    drafts: Drafts,
) -> Sequence[UserMessages]:
    """Return what the held-out personas say to the bare base: test data for the router."""
    plans = [
        DialoguePlan(
            id=f"held-out/{persona.id}/{replicate}",
            agent=world.agent_for(persona),
            standard=Standard(world.patterns[world.tasks[persona.task].pattern].expressed),
            seed=derive_seed(seed, "held-out", persona.id, replicate),
            turns=config.turns,
            sampling=Sampling(temperature=config.temperature, max_tokens=config.max_tokens),
        )
        for persona in world.split.test
        for replicate in range(HELD_OUT_REPLICATES)
    ]
    return user_messages(await hold_dialogues(plans, model, rater, config.concurrency, on_turn, drafts))
