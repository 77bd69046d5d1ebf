"""Train a study's experts: write dialogues, fit an adapter per pattern and a router, in one call."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.filtering import Standard
from holdfast.adapters.dialogues.steering import DialoguePlan, hold_dialogues
from holdfast.adapters.dialogues.writing import (
    DialogueFile,
    TrainingPeople,
    UserMessages,
    user_messages,
    write_dialogues,
)
from holdfast.adapters.progress import StageProgress, silent
from holdfast.adapters.routing.fitting import RouterReport, assess_router, fit_router
from holdfast.adapters.routing.router import WordRouter
from holdfast.agents.protocols import ChatModel, Sampling
from holdfast.agents.raters.protocol import Rater
from holdfast.core.atomic import drafted
from holdfast.core.hashing import weights_sha256
from holdfast.core.seeds import derive_seed

if TYPE_CHECKING:
    from holdfast.adapters.training.lora import TrainedAdapter

DIALOGUES, ADAPTERS, ROUTER = "dialogues", "adapters", "adapters/router.npz"
HELD_OUT_REPLICATES = 3  # conversations of each held-out persona that the router is tested on


@dataclass(frozen=True, slots=True)
class TrainingBase:
    """The base model as a chat model and as a folder to train on.

    ``name`` goes into the adapters' files: a hub id or a word, never a path. ``writer``: another model that writes the
    dialogues; None: the base does.
    """

    model: ChatModel
    path: Path
    name: str
    writer: ChatModel | None = None


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

    def as_dict(self) -> dict[str, object]:
        """Return everything but the router's weights, ready for JSON."""
        return {
            "adapters": {
                name: asdict(adapter) | {"path": adapter.path.name} for name, adapter in self.adapters.items()
            },
            "dialogues": {name: asdict(file) | {"path": file.path.name} for name, file in self.dialogues.items()},
            "experts": dict(self.experts),
            "router": asdict(self.router_report),
            "timings_s": {stage: round(seconds, 2) for stage, seconds in self.timings_s.items()},
        }


async def train_experts(
    config: TrainingConfig,
    world: TrainingPeople,
    base: TrainingBase,
    rater: Rater,
    *,
    out: Path,
    seed: int,
    progress: StageProgress = silent,
) -> TrainingOutcome:
    """Write dialogues, train one adapter per pattern, fit the router; write all of it to ``out``.

    ``out`` then holds ``dialogues/PATTERN.jsonl``, ``adapters/PATTERN/``, ``adapters/router.npz`` and
    ``adapters/training.json``. The same arguments give the same files, but for the seconds in the last.

    Raises:
        InputError: no training persona needs a wanted pattern.
        ModelError: the base does not load, or does not follow its system prompt well enough to learn from.
    """
    started, laps = time.perf_counter(), dict[str, float]()

    def lap(stage: str) -> None:
        laps[stage] = time.perf_counter() - started - sum(laps.values())

    files, spoken = await write_dialogues(
        config,
        world,
        model=base.writer or base.model,
        rater=rater,
        out=out / DIALOGUES,
        seed=seed,
        model_sha256=weights_sha256(base.path) if base.writer is None else None,
        progress=progress,
    )
    lap("dialogues")
    router = fit_router(spoken, world.tasks)
    router.save(out / ROUTER)
    held_out = await _held_out_messages(config, world, base.model, rater, seed=seed)
    report = assess_router(router, [messages for messages in held_out if messages.task in router.tasks])
    lap("router")
    from holdfast.adapters.training.lora import AdapterJob, train_adapter  # torch, which not every study needs

    adapters = {}
    for number, (pattern, file) in enumerate(files.items(), start=1):
        stage = f"training {pattern} ({number} of {len(files)})"
        folder, stage_seed = out / ADAPTERS / pattern, derive_seed(seed, "train", pattern)
        job = AdapterJob(pattern, base.path, base.name, file.path, folder, stage_seed)
        adapters[pattern] = await asyncio.to_thread(train_adapter, job, config, partial(progress, stage))
    lap("training")
    experts = {task.id: task.pattern for task in world.tasks.values() if task.pattern in adapters}
    outcome = TrainingOutcome(adapters, files, experts, router, report, laps)
    with drafted(out / ADAPTERS / "training.json") as draft:  # written last: marks training as complete
        draft.write_text(json.dumps(outcome.as_dict(), indent=2) + "\n", encoding="utf-8")
    return outcome


async def _held_out_messages(
    config: TrainingConfig, world: TrainingPeople, model: ChatModel, rater: Rater, *, seed: int
) -> Sequence[UserMessages]:
    """Return what the held-out personas say to the bare base: test data for the router."""
    plans = [
        DialoguePlan(
            id=f"held-out/{persona.id}/{replicate}",
            agent=world.agent_for(persona),
            standard=Standard(world.patterns[world.tasks[persona.task].pattern].target),
            seed=derive_seed(seed, "held-out", persona.id, replicate),
            turns=config.turns,
            sampling=Sampling(temperature=config.temperature, max_tokens=config.max_tokens),
        )
        for persona in world.split.test
        for replicate in range(HELD_OUT_REPLICATES)
    ]
    return user_messages(await hold_dialogues(plans, model, rater, config.concurrency))
