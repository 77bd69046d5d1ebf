"""Many conversations at once over one model: bounded concurrency, every finished turn journalled in the same moment."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from holdfast.agents.models.served.failures import EndpointError
from holdfast.agents.models.served.halt import halting
from holdfast.core.errors import HaltedError, HoldfastError, JournalError
from holdfast.simulator.conversation.graph import config, graph
from holdfast.simulator.conversation.participants import ConversationState, Participants, reopening
from holdfast.simulator.engine.pacing import PacedCandidate, Pacer
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.monitor.progress import Progress
from holdfast.simulator.records import EpisodeSpec, TurnRecord

ParticipantsFor = Callable[[EpisodeSpec], Participants]

_OUTPUT_KEYS = ("turn", "stop")  # what is wanted of the final state; LangGraph would copy all of it at every step

_log = logging.getLogger("holdfast.engine")


async def hold_conversations(
    specs: Sequence[EpisodeSpec],
    participants_for: ParticipantsFor,
    journal: Journal,
    progress: Progress,
    concurrency: int,
) -> None:
    """Hold every conversation of ``specs`` that the journal still owes, at most ``concurrency`` at a time.

    The ``on_turn`` of the participants must commit to ``journal``, and their ``halted`` end the batch early. A
    conversation that fails becomes a record with its cause, and the others go on; but where an endpoint has never
    answered, all stop: see :class:`holdfast.simulator.engine.stopping.StopSwitch`.

    Raises:
        JournalError: turns can no longer be kept. The conversations in flight are given up at once.
    """
    ended = journal.ended()
    owed = [spec for spec in specs if spec.id not in ended]
    waiting, pacer = iter(owed), Pacer()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(owed))):
                group.create_task(_work(waiting, participants_for, journal, progress, pacer))
    except* JournalError as errors:
        raise errors.exceptions[0] from None


async def _work(
    waiting: Iterator[EpisodeSpec],
    participants_for: ParticipantsFor,
    journal: Journal,
    progress: Progress,
    pacer: Pacer,
) -> None:
    """Hold one conversation after another, until none is left or the batch is halted."""
    for spec in waiting:
        try:
            participants = participants_for(spec)
            if participants.halted():
                return
            end = await hold_conversation(participants, journal.turns(spec.id), pacer)
            if end["stop"] is not None:
                progress.drop(spec.max_turns - end["turn"])
        except JournalError:
            raise
        except HaltedError:  # it waited for its endpoint when the run was stopped: its turn is still owed
            return
        except Exception as error:  # whatever a model, a user agent or a rater may raise
            _log.debug("episode %s failed", spec.id, exc_info=error)
            journal.fail(spec.id, cause(error))
            progress.drop(spec.max_turns - len(journal.turns(spec.id)))
            if never_answered(error):
                halting().request(cause(error))


async def hold_conversation(participants: Participants, turns: Sequence[TurnRecord], pacer: Pacer) -> ConversationState:
    """Hold one conversation, on from ``turns``; returns how many ``turn`` it has at its end, and why it did ``stop``.

    ``pacer``: shared by all conversations of the batch.
    """
    settings = config(participants.spec.max_turns, participants.callbacks, name=participants.spec.id)
    state = reopening(participants, turns)
    paced = replace(participants, candidate=PacedCandidate(participants.candidate, pacer))
    await pacer.wait()  # the first requests of a batch leave in small groups too
    end = await graph.ainvoke(state, settings, context=paced, output_keys=_OUTPUT_KEYS, version="v2")  # streams less
    values: ConversationState = end.value
    return values


def never_answered(error: BaseException) -> bool:
    """Whether a conversation met an endpoint that has never answered, where no other would fare better."""
    return isinstance(error, EndpointError) and error.never_answered


def cause(error: BaseException) -> str:
    """Why a conversation failed, for its record: holdfast's own errors speak for themselves, others say their type."""
    return str(error) if isinstance(error, HoldfastError) else f"{type(error).__name__}: {error}"
