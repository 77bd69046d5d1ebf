"""Many conversations at once over one model: bounded concurrency, every finished turn journalled in the same moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from holdfast.core.errors import HoldfastError, JournalError
from holdfast.simulator.conversation.participants import Participants, reopening
from holdfast.simulator.conversation.graph import config, graph
from holdfast.simulator.conversation.walk import Turnstile, unheard, walk
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.monitor.progress import Progress
from holdfast.simulator.records import EpisodeSpec, TurnRecord

Casting = Callable[[EpisodeSpec], Participants]
Holder = Callable[[Sequence[EpisodeSpec], Casting, Journal, Progress, int], Awaitable[None]]
"""How :func:`hold_conversations` is called, and what may be called in its place."""

WIDE = 64
"""With more conversations at once, and nobody listening, they are walked without LangGraph. Its .45 ms of CPU a turn is
nothing beside a model below that, and above it half of what one core can give while an endpoint answers."""

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
    owed = [spec for spec in specs if spec.id not in ended]
    waiting, at_once = iter(owed), min(concurrency, len(owed))
    turnstile = turnstile_for(at_once)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(_work(waiting, casting, journal, progress, turnstile))
    except* JournalError as errors:
        raise errors.exceptions[0] from None


async def _work(
    waiting: Iterator[EpisodeSpec], casting: Casting, journal: Journal, progress: Progress, turnstile: Turnstile | None
) -> None:
    """One conversation after another, until none is left or the batch is halted."""
    for spec in waiting:
        try:
            cast = casting(spec)
            if cast.halted():
                return
            done = await hold_one(cast, journal.turns(spec.id), turnstile)
            if done["stop"] is not None:
                progress.drop(spec.max_turns - done["turn"])
        except JournalError:
            raise
        except Exception as error:  # whatever a model, a user agent or a rater may raise
            _log.debug("episode %s failed", spec.id, exc_info=error)
            journal.fail(spec.id, cause(error))
            progress.drop(spec.max_turns - len(journal.turns(spec.id)))


def turnstile_for(at_once: int) -> Turnstile | None:
    """What all conversations of a wide batch share; None where so few are held ``at_once`` that it is not wide."""
    return Turnstile() if at_once > WIDE else None


async def hold_one(cast: Participants, turns: Sequence[TurnRecord], turnstile: Turnstile | None) -> Mapping[str, Any]:
    """Hold one conversation, on from ``turns``: how many turns it has at its end, and why it stopped.

    ``turnstile``: that of its wide batch, in which it is walked unless somebody listens.
    """
    settings = config(cast.spec.max_turns, cast.callbacks, name=cast.spec.id)
    state = reopening(cast, turns)
    if turnstile is not None and unheard(settings):
        return await walk(cast, state, settings["recursion_limit"], turnstile)
    done: dict[str, Any] = await graph.ainvoke(state, settings, context=cast, output_keys=_KEPT)
    return done


def cause(error: BaseException) -> str:
    """Why a conversation failed, for its record: holdfast's own errors speak for themselves, others say their type."""
    return str(error) if isinstance(error, HoldfastError) else f"{type(error).__name__}: {error}"
