"""A study from start to end, or from where it stopped: journal, rounds, budget, stopping."""

import json
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from langchain_core.callbacks import Callbacks

from holdfast.core.errors import BudgetError, JournalError
from holdfast.core.wording import how_many
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.config.recorded import WORLD, world_json
from holdfast.simulator.config.study_file import STUDY_FILE, write_study
from holdfast.simulator.conversation.participants import Participants
from holdfast.simulator.engine.budget import Spending
from holdfast.simulator.engine.garbage_collection import collecting_rarely
from holdfast.simulator.engine.rounds import next_round, world_of, worlds
from holdfast.simulator.engine.stopping import StopSwitch
from holdfast.simulator.journal.locking import WriterLock
from holdfast.simulator.journal.store import JOURNAL, Journal
from holdfast.simulator.monitor.heartbeat import DONE, FAILED, STOPPED, HeartbeatWriter
from holdfast.simulator.monitor.notices import Notices
from holdfast.simulator.monitor.progress import NoProgress, Progress
from holdfast.simulator.records import EpisodeSpec, TurnRecord
from holdfast.simulator.runtime.resuming import require_same_study
from holdfast.simulator.runtime.run_folder import PROVENANCE
from holdfast.simulator.runtime.session import Session

INPUTS = "2"  # which inputs a journal records: 1 had hashes of weights and raters only

OnTurn = Callable[[TurnRecord], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended. ``turns`` and the episode counts are the journal's; ``seconds`` are of this call.

    ``failure``: what the run has failed of as a whole: an endpoint that never answered, or the commonest cause where no
    conversation came to an end.
    """

    journal: Path
    turns: int
    episodes: int
    failed: int
    seconds: float
    failure: str | None = None


async def run_study(
    session: Session,
    out: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    callbacks: Callbacks = None,
    lock: WriterLock | None = None,
) -> RunOutcome:
    """Hold all conversations of ``session`` and journal them in ``out``.

    ``resume``: go on from the journal there, failed episodes too (a new journal where there is none yet); a journal
    that was made with other inputs is refused. ``callbacks``: LangChain handlers that hear of every conversation, node
    and model call. ``lock``: that of ``out``, where the caller holds it.

    Raises:
        JournalError: the journal is another study's, locked, damaged, there already, or cannot be written.
        BudgetError: the study's budget is spent, and something is still owed.
        KeyboardInterrupt: on Ctrl-C, after the turns in flight were finished.
    """
    began = time.monotonic()
    plan, progress = session.plan, progress or NoProgress()
    with open_journal(plan, out, resume=resume, inputs=session.inputs, lock=lock) as journal:
        write_study(plan.study, out / STUDY_FILE)
        journal.remember(PROVENANCE, json.dumps(dict(session.provenance), ensure_ascii=False))
        journal.plan(plan.episodes)
        if resume:
            journal.owe_failed()
        progress.start(_turns_planned(plan, journal), journal.count().turns)
        progress.recall(journal.ratings())
        try:
            notices = Notices(session.notices, progress.note)
            async with HeartbeatWriter(journal, session.counters, progress.count, notices) as heartbeat:
                with StopSwitch(progress.note) as stop:
                    spending = Spending(plan.study.budget, stop.request, journal.tokens())
                    on_turn = _recorder(plan, journal, heartbeat, spending, progress)
                    with spending.clock(), collecting_rarely():
                        await _hold_rounds(session, journal, progress, on_turn, stop.requested, callbacks)
        finally:
            progress.finish()
        counts = journal.count()
        owed = len(plan.episodes) - counts.ended - counts.failed
        failure = stop.failure or (None if counts.ended or owed else commonest(journal.causes()))
        end = DONE if owed == 0 else f"{STOPPED}{stop.reason}"
        heartbeat.note(end if failure is None else f"{FAILED}{failure}")
    if owed and stop.reason is not None:
        raise BudgetError(
            f"stopped: {stop.reason}; {how_many(counts.turns, 'turn is', 'turns are')} kept and "
            f"{how_many(owed, 'conversation is', 'conversations are')} still owed. "
            f"Go on with --resume and a larger budget; holdfast report {out} shows what there is"
        )
    seconds = time.monotonic() - began
    return RunOutcome(out / JOURNAL, counts.turns, counts.ended, counts.failed, seconds, failure)


def commonest(causes: Iterable[str]) -> str | None:
    """Return the cause that is met most often, None where there is none."""
    counted = Counter(causes).most_common(1)
    return counted[0][0] if counted else None


def _recorder(
    plan: Plan, journal: Journal, heartbeat: HeartbeatWriter, spending: Spending, progress: Progress
) -> OnTurn:
    """Make the function that writes a finished turn to the journal, and then reports it."""
    specs = {spec.id: spec for spec in plan.episodes}

    async def on_turn(record: TurnRecord) -> None:
        journal.append(record)
        heartbeat.beat()
        spending.add(sum(record.tokens), heartbeat.counters)
        progress.advance()
        progress.see(specs[record.episode_id], record)

    return on_turn


async def _hold_rounds(
    session: Session,
    journal: Journal,
    progress: Progress,
    on_turn: OnTurn,
    halted: Callable[[], bool],
    callbacks: Callbacks,
) -> None:
    """Hold round after round: the next begins when the last conversation of this one is over."""
    plan = session.plan
    populations = worlds(plan)

    def participants_for(spec: EpisodeSpec) -> Participants:
        desired = populations[world_of(spec)].agents[spec.agent].desired if populations else None
        return session.participants(spec, on_turn, desired=desired, halted=halted, callbacks=callbacks)

    for number in range(plan.study.rounds):
        specs = [spec for spec in plan.episodes if spec.round == number]
        await session.executor.hold(
            specs, participants_for, journal, progress, plan.study.conversations_at_once, usage=session.usage
        )
        if halted():
            return
        if number + 1 < plan.study.rounds:
            populations = next_round(populations, journal.episodes(number))


def open_journal(
    plan: Plan, out: Path, *, resume: bool, inputs: Mapping[str, str], lock: WriterLock | None = None
) -> Journal:
    """Open a new journal for ``plan``, or its own from before.

    Raises:
        TakenError: it is another study's, or there is one and nothing is resumed.
        JournalError: the folder cannot be written.
    """
    path = out / JOURNAL
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(f"{out}: the run folder cannot be made ({error.strerror})") from error
    meta = {"study": plan.fingerprint, "study_sha256": plan.sha256, "inputs": json.dumps(dict(inputs), sort_keys=True)}
    meta |= {WORLD: world_json(plan)}
    if not (resume and os.path.lexists(path)):
        return Journal.create(path, meta | {"inputs_version": INPUTS}, lock)
    return Journal.resume(path, lock, lambda journal: require_same_study(plan, journal, journal.meta(), inputs))


def _turns_planned(plan: Plan, journal: Journal) -> int:
    """Turns that the run will have at most: full lengths of what is owed, what is there of what has ended."""
    ended = journal.ended()
    owed = sum(spec.max_turns for spec in plan.episodes if spec.id not in ended)
    return owed + journal.turns_of_ended()
