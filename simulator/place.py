"""Where a study is held: who loads its local models, and who holds its conversations. Light: imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agents.models.meter import Meter
from agents.models.opening import load_local
from agents.models.references import LocalReference
from agents.protocols import ChatModel
from simulator.engine.batch import Casting, hold_conversations
from simulator.engine.journal import Journal
from simulator.engine.progress import Progress
from simulator.records import EpisodeSpec


class Adaptable(ChatModel, Protocol):
    """A chat model that may be given LoRA adapters."""

    @property
    def adapters(self) -> tuple[str, ...]: ...

    def add_adapter(self, name: str, path: Path) -> None: ...


class Place(Protocol):
    """Implementations: :data:`HERE`, and :class:`simulator.on_ray.place.RayPlace`."""

    def load(self, reference: LocalReference, batch_size: int) -> Adaptable:
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
        meters: Sequence[Meter] = (),
    ) -> None:
        """See :func:`simulator.engine.batch.hold_conversations`. ``meters``: of the models that speak; what other
        processes count for them is added to them."""
        ...


@dataclass(frozen=True, slots=True)
class Here:
    """This process."""

    def load(self, reference: LocalReference, batch_size: int) -> Adaptable:
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # weights load in a blink, and standard error is the user's
        return load_local(reference, batch_size)

    async def hold(self, *args: Any, meters: Sequence[Meter] = (), **kwargs: Any) -> None:
        await hold_conversations(*args, **kwargs)  # the models count into their meters themselves


HERE = Here()
