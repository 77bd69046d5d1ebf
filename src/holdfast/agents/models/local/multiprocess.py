"""A small local model in several processes of this machine, each with an engine over some of the conversations.

A small model's passes are too short to be shared out among processor cores: torch with two threads is no faster than
with one. Nor are two engines in threads of one process, which wait for each other's interpreter between a pass's some
hundred operations. Two processes are nearly twice as fast. Light: imports no torch.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from holdfast.agents.models.local.worker_connection import WorkerConnection, LostError
from holdfast.agents.models.references import LocalReference
from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.core.errors import HoldfastError, ModelError

SMALL_BYTES = 128 << 20  # of weights on disk; a larger model's passes keep all cores busy by themselves
ROWS = 8  # a process with fewer conversations at once spends its time between the passes
MOST = 4  # that are started without being asked for; each takes about half a gigabyte, and what its conversations take
DEATHS = 3  # of one process, after which the model counts as lost
_KNOWN = 1 << 14  # conversations whose process is remembered


def processes_for(reference: LocalReference, batch_size: int, most: int) -> int:
    """How many processes, of ``most``, a model is worth: 1 where it is large, on a GPU, or the batch is narrow."""
    weights = sum(file.stat().st_size for file in reference.path.glob("*.safetensors") if file.is_file())
    if reference.device not in (None, "cpu") or not 0 < weights <= SMALL_BYTES:
        return 1
    return max(1, min(most, batch_size // ROWS))


class ProcessesModel:
    """:class:`holdfast.agents.protocols.ChatModel` over ``processes`` processes. A conversation always speaks with the same one.

    A process that dies is started again and asked again: an answer follows from its request alone.
    """

    def __init__(self, reference: LocalReference, batch_size: int, processes: int) -> None:
        """Start the processes and wait until the model is loaded in all of them.

        :raises InputError, ModelError: it cannot be loaded; see :meth:`holdfast.agents.models.local.model.LocalChatModel.load`.
        """
        share = -(-batch_size // processes)
        self._workers: list[_Worker] = []
        weakref.finalize(self, _close, self._workers)
        try:
            for _ in range(processes):
                self._workers.append(_Worker(reference, share, processes))
            self.id, *_ = [worker.ready() for worker in self._workers]
        except BaseException:
            self.close()
            raise
        self._homes: OrderedDict[str, _Worker] = OrderedDict()

    @property
    def adapters(self) -> tuple[str, ...]:
        """Names that a request's ``adapter`` may have."""
        return tuple(self._workers[0].adapters)

    def add_adapter(self, name: str, path: Path) -> None:
        """Make the PEFT LoRA folder ``path`` available under ``name``.

        :raises ModelError: as :meth:`holdfast.agents.models.local.model.LocalChatModel.add_adapter`.
        """
        for asked in [worker.add_adapter(name, path) for worker in self._workers]:
            asked()

    def close(self) -> None:
        """End the processes; who asks now gets a ModelError."""
        _close(self._workers)

    async def generate(self, request: GenerationRequest) -> Generation:
        """Write the next assistant message.

        :raises ModelError: as :meth:`holdfast.agents.models.local.model.LocalChatModel.generate`, or the process died repeatedly.
        """
        return await self._home(request.key).generate(request)

    def _home(self, key: str) -> _Worker:
        worker = self._homes.pop(key, None) or min(self._workers, key=lambda worker: worker.load)
        self._homes[key] = worker
        while len(self._homes) > _KNOWN:
            self._homes.popitem(last=False)
        return worker


class _Worker:
    """One of the processes, and another one in its place where it dies."""

    def __init__(self, reference: LocalReference, batch_size: int, processes: int) -> None:
        self._opening = (reference, batch_size, processes)
        self._name = reference.word
        self.adapters: dict[str, Path] = {}
        self._deaths = 0
        self._closed = False
        self._lock = threading.Lock()  # while a process takes the place of another
        self._line = WorkerConnection(self._opening)

    @property
    def load(self) -> int:
        """Requests under way."""
        return len(self._line.asked)

    def ready(self) -> str:
        """Wait until the model is loaded; its id."""
        try:
            name: str = self._line.loaded.result()
        except LostError:
            raise self._died_loading(self._line) from None
        return name

    def add_adapter(self, name: str, path: Path) -> Callable[[], None]:
        """Ask for an adapter; call what is returned to wait for it."""
        line = self._line
        asked = line.ask((name, path))

        def wait() -> None:
            try:
                asked.result()
            except LostError:
                self._replace(line)
                self.add_adapter(name, path)()
            self.adapters[name] = path

        return wait

    async def generate(self, request: GenerationRequest) -> Generation:
        while True:
            line = self._line
            asked = line.ask(request)
            try:
                made: Generation = await asyncio.wrap_future(asked)
                return made
            except LostError:
                await asyncio.to_thread(self._replace, line)
            except asyncio.CancelledError:
                line.withdraw(asked)
                raise

    def close(self) -> None:
        self._closed = True
        self._line.close()

    def _replace(self, lost: WorkerConnection) -> None:
        """Start a process in the place of one that died, unless another request has done so already."""
        with self._lock:
            if self._line is not lost:
                return
            if self._closed:
                raise ModelError(f"the processes of {self._name} are closed")
            end = lost.end
            self._deaths += 1
            if self._deaths >= DEATHS:
                raise ModelError(f"the process of {self._name} died {DEATHS} times ({end}); is there enough memory?")
            self._line = self._another()
            if self._closed:  # meanwhile
                self._line.close()

    def _another(self) -> WorkerConnection:
        """A process that knows what the dead one knew: nobody may ask it before."""
        line = WorkerConnection(self._opening)
        try:
            for asked in [line.loaded, *(line.ask(adapter) for adapter in self.adapters.items())]:
                asked.result()
        except LostError:
            raise self._died_loading(line) from None
        except HoldfastError:
            line.close()
            raise
        return line

    def _died_loading(self, line: WorkerConnection) -> ModelError:
        return ModelError(f"the process of {self._name} died while it loaded ({line.end}); is there enough memory?")


def _close(workers: Iterable[_Worker]) -> None:
    for worker in workers:
        worker.close()
