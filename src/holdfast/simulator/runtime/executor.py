"""Where a study is held: who loads its local models, and who holds its conversations. Light: imports no torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from holdfast.agents.models.usage import Usage
from holdfast.agents.models.opening import load_local
from holdfast.agents.models.local.multiprocess import MOST, ProcessesModel, processes_for
from holdfast.agents.models.references import LocalReference
from holdfast.agents.protocols import ChatModel
from holdfast.simulator.engine.batch import Casting, hold_conversations
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
        """The local model that ``reference`` names, ready to speak."""
        ...

    async def hold(
        self,
        specs: Sequence[EpisodeSpec],
        casting: Casting,
        journal: Journal,
        progress: Progress,
        concurrency: int,
        *,
        meters: Sequence[Usage] = (),
    ) -> None:
        """See :func:`holdfast.simulator.engine.batch.hold_conversations`. ``meters``: of the models that speak; what other
        processes count for them is added to them."""
        ...


@dataclass(frozen=True, slots=True)
class LocalExecutor:
    """This machine. ``processes``: at most so many for a small local model; None: its own choice, see :func:`with_processes`."""

    processes: int | None = None

    def load(self, reference: LocalReference, batch_size: int) -> AdapterModel:
        processes = processes_for(reference, batch_size, self.processes or 1)
        if processes > 1:
            return ProcessesModel(reference, batch_size, processes)
        return load_local(reference, batch_size)

    async def hold(self, *args: Any, meters: Sequence[Usage] = (), **kwargs: Any) -> None:
        await hold_conversations(*args, **kwargs)  # the models count into their meters themselves


LOCAL = LocalExecutor()


def with_processes(place: Executor, replies: int) -> Executor:
    """``place`` as a study of so many replies should have it: here, with a process per core where it is long."""
    if not isinstance(place, LocalExecutor) or place.processes is not None:
        return place
    return replace(place, processes=min(_cores(), MOST) if replies >= LONG else 1)


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
