"""Who loads a study's local models and holds its conversations: this process, or a cluster. Light: imports no torch."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from holdfast.agents.models.local.multiprocess import MOST, ProcessesModel, processes_for
from holdfast.agents.models.opening import load_local
from holdfast.agents.models.references import LocalReference
from holdfast.agents.models.usage import Usage
from holdfast.agents.protocols import ChatModel
from holdfast.simulator.engine.batch import ParticipantsFor, hold_conversations
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.monitor.progress import Progress
from holdfast.simulator.records import EpisodeSpec

LONG = 600  # replies; to start a model's processes takes seconds, and they take memory


class AdapterModel(ChatModel, Protocol):
    """A chat model that may be given LoRA adapters."""

    @property
    def adapters(self) -> tuple[str, ...]: ...

    def add_adapter(self, name: str, path: Path) -> None: ...


class Executor(Protocol):
    """Implementations: :data:`LOCAL`, and :class:`holdfast.simulator.on_ray.executor.RayExecutor`."""

    def load(self, reference: LocalReference, batch_size: int) -> AdapterModel:
        """Load the local model that ``reference`` names."""
        ...

    async def hold(
        self,
        specs: Sequence[EpisodeSpec],
        participants_for: ParticipantsFor,
        journal: Journal,
        progress: Progress,
        concurrency: int,
        *,
        usage: Sequence[Usage] = (),
    ) -> None:
        """Hold the conversations in this process: :func:`holdfast.simulator.engine.batch.hold_conversations`.

        ``usage``: of the models that speak; what other processes count for them is added to it.
        """
        await hold_conversations(specs, participants_for, journal, progress, concurrency)


@dataclass(frozen=True)
class LocalExecutor(Executor):
    """This machine. ``processes``: most for a small local model; None: its own choice, see :func:`with_processes`."""

    processes: int | None = None

    def load(self, reference: LocalReference, batch_size: int) -> AdapterModel:
        processes = processes_for(reference, batch_size, self.processes or 1)
        if processes > 1:
            return ProcessesModel(reference, batch_size, processes)
        return load_local(reference, batch_size)


LOCAL = LocalExecutor()


def with_processes(executor: Executor, replies: int) -> Executor:
    """Give this machine's executor a process per core where a study asks for many ``replies``; leave others alone."""
    if not isinstance(executor, LocalExecutor) or executor.processes is not None:
        return executor
    return replace(executor, processes=min(_cores(), MOST) if replies >= LONG else 1)


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
