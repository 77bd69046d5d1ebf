"""Many conversations at once over one model: bounded concurrency, every finished turn journalled in the same moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence

from personas.errors import HoldfastError, JournalError
from simulator.conversation.cast import Cast, reopening
from simulator.conversation.graph import config, graph
from simulator.engine.journal import Journal
from simulator.engine.progress import Progress
from simulator.records import EpisodeSpec

Casting = Callable[[EpisodeSpec], Cast]

_KEPT = ("turn", "stop")  # what is wanted of the final state; LangGraph would copy all of it at every step

_log = logging.getLogger("holdfast.engine")


async def hold_conversations(
    specs: Sequence[EpisodeSpec], casting: Casting, journal: Journal, progress: Progress, concurrency: int
) -> None:
    """Hold every conversation of ``specs`` that the journal still owes, at most ``concurrency`` at a time.

    ``casting`` says who meets; its casts' ``on_turn`` must commit to ``journal`` and their ``halted`` end the batch
    early. A conversation that fails becomes a record with its cause, and the others go on.

    Raises:
        JournalError: turns can no longer be kept. The conversations in flight are given up at once.
    """
    ended = journal.ended()
    waiting = iter([spec for spec in specs if spec.id not in ended])
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(_work(waiting, casting, journal, progress))
    except* JournalError as errors:
        raise errors.exceptions[0] from None


async def _work(waiting: Iterator[EpisodeSpec], casting: Casting, journal: Journal, progress: Progress) -> None:
    """One conversation after another, until none is left or the batch is halted."""
    for spec in waiting:
        try:
            cast = casting(spec)
            if cast.halted():
                return
            state = reopening(cast, journal.turns(spec.id))
            settings = config(spec.max_turns, cast.callbacks, name=spec.id)
            done = await graph.ainvoke(state, settings, context=cast, output_keys=_KEPT)
            if done["stop"] is not None:
                progress.drop(spec.max_turns - done["turn"])
        except JournalError:
            raise
        except Exception as error:  # whatever a model, a user agent or a rater may raise
            _log.debug("episode %s failed", spec.id, exc_info=error)
            journal.fail(spec.id, cause(error))
            progress.drop(spec.max_turns - len(journal.turns(spec.id)))


def cause(error: BaseException) -> str:
    """Why a conversation failed, for its record: holdfast's own errors speak for themselves, others say their type."""
    return str(error) if isinstance(error, HoldfastError) else f"{type(error).__name__}: {error}"
