"""The driver's side: starts the models, deals the conversations out, and journals every turn that comes back.

A turn is journalled when it arrives, so what dies with a worker is what no one has seen. Its conversations are dealt
out again from their last turn in the journal, and every draw in them is seeded: the same words come out.
"""

import asyncio
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray import exceptions as failures

from holdfast.agents.models.references import LocalReference
from holdfast.agents.models.served.halt import halting
from holdfast.agents.models.usage import Usage
from holdfast.core.errors import HoldfastError, ModelError
from holdfast.simulator.conversation.participants import Participants
from holdfast.simulator.engine.batch import ParticipantsFor
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.monitor.progress import Progress
from holdfast.simulator.on_ray.models import ModelActor, RemoteModel
from holdfast.simulator.on_ray.worker import ConversationEnd, StopSignal, WorkerTask, hold_assigned
from holdfast.simulator.records import EpisodeSpec, TurnRecord

LOADING_S = 600.0  # longest wait for the actors of a model: a machine of a cluster may have to start first
PARTS_PER_ENGINE = 2  # at least so many groups for each engine, so that a dead worker delays few conversations
MOST_LOSSES = 5  # of one group in a row without a turn in between
_NO_CALLBACKS = (
    "callbacks hear nothing of conversations on Ray workers; run without Ray, or trace them with LangSmith, by its "
    "variables on every machine of the cluster"
)
LOST = (
    *(failures.WorkerCrashedError, failures.NodeDiedError, failures.LocalRayletDiedError),
    *(failures.ObjectLostError, failures.OutOfMemoryError, failures.RaySystemError),
)


@dataclass(frozen=True)
class RayExecutor:
    """:class:`holdfast.simulator.runtime.executor.Executor` on the Ray cluster that this process is connected to.

    ``engines``: actors per model; ``gpus`` and ``cpus``: what each of them takes.
    """

    engines: int
    gpus: float = 0.0
    cpus: float = 1.0

    def load(self, reference: LocalReference, batch_size: int) -> RemoteModel:
        """Start the actors of a model.

        Raises:
            ModelError: It cannot be loaded there, or the cluster has no room for it.
        """
        actor_class: Any = ray.remote(ModelActor).options(
            num_cpus=self.cpus,
            num_gpus=self.gpus,
            scheduling_strategy="SPREAD",
            max_restarts=-1,  # and no retries: a request whose actor dies goes to another one at once
            max_concurrency=100_000,  # requests wait in the engine's own queue
        )
        if self.gpus and reference.device is None:  # on the actor's own GPU; ``device: cpu`` stays the CPU
            reference = replace(reference, device="cuda")
        actors: tuple[Any, ...] = tuple(actor_class.remote(reference, batch_size) for _ in range(self.engines))
        try:
            names = ray.get([actor.name.remote() for actor in actors], timeout=LOADING_S)
        except failures.GetTimeoutError:
            needs = f"{self.engines} x {self.gpus:g} GPU, {self.cpus:g} CPU"
            raise ModelError(
                f"no room on the Ray cluster for {reference.word} ({needs}) within {LOADING_S:.0f} s; "
                "lower --ray-models, or add machines"
            ) from None
        except failures.RayActorError as error:
            raise ModelError(f"{reference.word} could not be loaded on its Ray actor: {_gist(error)}") from error
        return RemoteModel(names[0], actors)

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
        """Hold what the journal owes of ``specs``, ``concurrency`` conversations per engine at once.

        What workers count is added to ``usage`` with each turn; one that dies loses what it had not sent yet.
        LangChain callbacks stay in this process, where nothing is said: a warning says so.

        Raises:
            JournalError: Turns can no longer be kept.
            ModelError: A part of the study cannot travel to workers.
        """
        ended = journal.ended()
        owed = [participants_for(spec) for spec in specs if spec.id not in ended]
        if not owed:
            return
        if owed[0].callbacks:
            warnings.warn(_NO_CALLBACKS, stacklevel=2)
        size = max(1, min(concurrency, -(-len(owed) // (PARTS_PER_ENGINE * self.engines))))
        groups = iter([owed[first : first + size] for first in range(0, len(owed), size)])
        signal = ray.remote(StopSignal).options(num_cpus=0).remote()
        dispatcher = _Dispatcher(journal, progress, signal, tuple(usage))
        watch = asyncio.create_task(dispatcher.watch(owed[0]))
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(max(1, self.engines * concurrency // size)):
                    workers.create_task(dispatcher.work(groups))
        except* HoldfastError as errors:
            raise errors.exceptions[0] from None
        finally:
            watch.cancel()


@dataclass(frozen=True)
class _Dispatcher:
    """Sends groups of conversations to workers, and writes down everything that comes back."""

    journal: Journal
    progress: Progress
    signal: Any
    usage: tuple[Usage, ...] = ()

    async def watch(self, participants: Participants) -> None:
        """Pass the user's wish to stop on to the workers."""
        while not participants.halted():
            await asyncio.sleep(0.2)
        await self.signal.request.remote()

    async def work(self, groups: Iterator[list[Participants]]) -> None:
        """Hold one group after another, until none is left or the batch is halted."""
        for group in groups:
            losses = 0
            while owed := self._owed(group):
                if group[0].halted():
                    return
                turns, error = await self._send(owed)
                if error is None:
                    break
                losses = 0 if turns else losses + 1
                if losses == MOST_LOSSES:
                    self._give_up(owed, error)
                    break
                self.progress.note(f"a Ray worker was lost ({_gist(error)}); its conversations go on elsewhere")

    def _owed(self, group: Sequence[Participants]) -> list[Participants]:
        ended = self.journal.ended()
        return [participants for participants in group if participants.spec.id not in ended]

    async def _send(self, group: Sequence[Participants]) -> tuple[int, Exception | None]:
        """Have a worker hold ``group`` and write down what comes; how many turns, and what killed it, if any did."""
        turns = 0
        by_id = {participants.spec.id: participants for participants in group}
        assignments = tuple((_portable(each), self.journal.turns(id)) for id, each in by_id.items())
        worker = ray.remote(hold_assigned).options(
            num_cpus=0, num_returns="streaming", max_retries=0, scheduling_strategy="SPREAD"
        )
        try:
            stream: Any = worker.remote(WorkerTask(assignments, self.usage), self.signal)
        except TypeError as error:  # what does not pickle
            raise ModelError(f"a part of this study cannot travel to Ray workers: {_gist(error)}") from error
        try:
            async for reference in stream:
                message = await reference
                for usage, counted in zip(self.usage, message.usage, strict=True):
                    usage.add(counted)
                if isinstance(message.event, TurnRecord):
                    await by_id[message.event.episode_id].on_turn(message.event)
                    turns += 1
                else:
                    self._close(by_id[message.event.episode_id], message.event)
        except LOST as error:
            return turns, error
        except failures.RayTaskError as error:
            self._give_up(group, error)
        except asyncio.CancelledError:
            ray.cancel(stream, force=True)
            raise
        return turns, None

    def _close(self, participants: Participants, end: ConversationEnd) -> None:
        if end.error is not None:
            self.journal.fail(end.episode_id, end.error)
            if end.never_answered:
                halting().request(end.error)
            self.progress.drop(participants.spec.max_turns - len(self.journal.turns(end.episode_id)))
        elif end.stop is not None:
            self.progress.drop(participants.spec.max_turns - end.turn)

    def _give_up(self, group: Sequence[Participants], error: Exception) -> None:
        for participants in self._owed(group):
            end = ConversationEnd(participants.spec.id, 0, error=f"its Ray worker failed: {_gist(error)}")
            self._close(participants, end)


async def _not_here(record: TurnRecord) -> None:
    raise NotImplementedError


def _portable(participants: Participants) -> Participants:
    """Leave out what ties them to this process: the worker puts its own in their place."""
    return replace(participants, on_turn=_not_here, halted=lambda: False, callbacks=None)


def _gist(error: BaseException) -> str:
    """One line of a Ray error, whose text is often a page."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, HoldfastError):
        return str(cause)
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return f"{type(cause).__name__}: {lines[-1][:200]}" if lines else type(cause).__name__
