"""A small local model in several processes of this machine, each with an engine over some of the conversations.

A small model's passes are too short to be split among processor cores: torch with two threads is no faster than with
one, and engines in two threads of one process block each other in the interpreter between a pass's hundreds of
operations. Two processes are nearly twice as fast. Imports no torch.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from holdfast.agents.models.local.worker import WorkerConnection, WorkerDiedError
from holdfast.agents.models.references import LocalReference
from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.core.errors import HoldfastError, ModelError

SMALL_BYTES = 128 << 20  # of weights on disk; a larger model's passes use all cores by themselves
ROWS = 8  # a process with fewer conversations at once spends its time between the passes
MOST = 4  # processes by default; each takes about half a gigabyte, and what its conversations take
DEATHS = 3  # of one process, after which the model counts as lost
_KNOWN = 1 << 14  # conversations whose process is remembered


def processes_for(reference: LocalReference, batch_size: int, most: int) -> int:
    """Return how many processes, ``most`` at most, help: 1 if the model is large or on a GPU, or the batch small."""
    weights = sum(file.stat().st_size for file in reference.path.glob("*.safetensors") if file.is_file())
    if reference.device not in (None, "cpu") or not 0 < weights <= SMALL_BYTES:
        return 1
    return max(1, min(most, batch_size // ROWS))


class ProcessesModel:
    """A :class:`holdfast.agents.protocols.ChatModel` over several processes; a conversation stays with one of them.

    A process that dies is restarted and its requests are repeated: an answer depends on its request alone.
    """

    keeps_schemas = True

    def __init__(self, reference: LocalReference, batch_size: int, processes: int) -> None:
        """Start the processes and wait until the model is loaded in all of them.

        Raises:
            InputError, ModelError: see :meth:`holdfast.agents.models.local.model.LocalChatModel.load`.
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
        self._worker_of: OrderedDict[str, _Worker] = OrderedDict()

    @property
    def adapters(self) -> tuple[str, ...]:
        """The names that a request's ``adapter`` may have."""
        return tuple(self._workers[0].adapters)

    def add_adapter(self, name: str, path: Path) -> None:
        """Make the PEFT LoRA folder ``path`` available under ``name``.

        Raises:
            ModelError: see :meth:`holdfast.agents.models.local.model.LocalChatModel.add_adapter`.
        """
        for answer in [worker.add_adapter(name, path) for worker in self._workers]:
            answer()

    def close(self) -> None:
        """End the processes; later requests raise a ModelError."""
        _close(self._workers)

    async def generate(self, request: GenerationRequest) -> Generation:
        """Write the next assistant message.

        Raises:
            ModelError: see :meth:`holdfast.agents.models.local.model.LocalChatModel.generate`; or the process died
                repeatedly.
        """
        return await self._worker_for(request.key).generate(request)

    def _worker_for(self, key: str) -> _Worker:
        worker = self._worker_of.pop(key, None) or min(self._workers, key=lambda worker: worker.load)
        self._worker_of[key] = worker
        while len(self._worker_of) > _KNOWN:
            self._worker_of.popitem(last=False)
        return worker


class _Worker:
    """One process, replaced when it dies."""

    def __init__(self, reference: LocalReference, batch_size: int, processes: int) -> None:
        self._opening = (reference, batch_size, processes)
        self._name = reference.word
        self.adapters: dict[str, Path] = {}
        self._deaths = 0
        self._closed = False
        self._lock = threading.Lock()  # while a process takes the place of another
        self._connection = WorkerConnection(self._opening)

    @property
    def load(self) -> int:
        """The number of requests under way."""
        return len(self._connection.pending)

    def ready(self) -> str:
        """Wait until the model is loaded; return its id."""
        return self._wait(self._connection)

    def add_adapter(self, name: str, path: Path) -> Callable[[], None]:
        """Send an adapter to the process; return a function that waits until it is loaded."""
        connection = self._connection
        answer = connection.send((name, path))

        def wait() -> None:
            try:
                answer.result()
            except WorkerDiedError:
                self._replace(connection)
                self.add_adapter(name, path)()
            self.adapters[name] = path

        return wait

    async def generate(self, request: GenerationRequest) -> Generation:
        while True:
            connection = self._connection
            answer = connection.send(request)
            try:
                generation: Generation = await asyncio.wrap_future(answer)
                return generation
            except WorkerDiedError:
                await asyncio.to_thread(self._replace, connection)
            except asyncio.CancelledError:
                connection.cancel(answer)
                raise

    def close(self) -> None:
        self._closed = True
        self._connection.close()

    def _replace(self, lost: WorkerConnection) -> None:
        """Start a process in the place of one that died, unless another request has done so already."""
        with self._lock:
            if self._connection is not lost:
                return
            if self._closed:
                raise ModelError(f"the processes of {self._name} are closed")
            end = lost.end
            self._deaths += 1
            if self._deaths >= DEATHS:
                raise ModelError(f"the process of {self._name} died {DEATHS} times ({end}); is there enough memory?")
            connection = WorkerConnection(self._opening)
            self._wait(connection)
            self._connection = connection
            if self._closed:  # meanwhile
                self._connection.close()

    def _wait(self, connection: WorkerConnection) -> str:
        """Wait until a new process has the model and the adapters of the one before; return the model's id."""
        try:
            adapters = [connection.send(adapter) for adapter in self.adapters.items()]
            name, *_ = [answer.result() for answer in (connection.loaded, *adapters)]
        except WorkerDiedError:
            died = f"the process of {self._name} died while it loaded ({connection.end}); is there enough memory?"
            raise ModelError(died) from None
        except HoldfastError:
            connection.close()
            raise
        return str(name)


def _close(workers: Iterable[_Worker]) -> None:
    for worker in workers:
        worker.close()
