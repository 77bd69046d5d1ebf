"""A study from start to end, or from where it stopped: plan, journal, rounds.

``run_study`` for scripts and the command line, ``run_study_async`` inside an event loop of one's own.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from langchain_core.callbacks import Callbacks

from holdfast.agents.protocols import Candidate, UserAgent
from holdfast.agents.raters.protocol import Rater
from holdfast.core.errors import BudgetError, JournalError
from holdfast.personas.schema import Persona
from holdfast.simulator.conversation.participants import Participants
from holdfast.simulator.conversation.stop import MaxTurns, Repeats, StopRule, UserLeaves
from holdfast.simulator.engine.batch import Holder, hold_conversations
from holdfast.simulator.engine.stopping import StopSwitch
from holdfast.simulator.engine.budget import Counters, Spending, nothing
from holdfast.simulator.engine.garbage_collection import collecting_rarely
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.monitor.progress import NoProgress, Progress
from holdfast.simulator.monitor.heartbeat import DONE, STOPPED, HeartbeatWriter
from holdfast.simulator.engine.rounds import World, next_round, world_of, worlds
from holdfast.simulator.config.plan import Plan, differences
from holdfast.simulator.records import EpisodeSpec, TurnRecord
from holdfast.simulator.config.study import write_study

if TYPE_CHECKING:
    from holdfast.personas.population import Population

JOURNAL = "journal.sqlite"
_MOST_DIFFERENCES = 8


@dataclass(frozen=True, slots=True)
class Troupe:
    """Who can be cast: candidates by name, a user agent for a persona, raters by name, the primary first.

    ``simulators``: other players of personas by name; each takes the persona and the conversation's id. ``hold`` holds
    their conversations: here, or on other machines.
    """

    candidates: Mapping[str, Candidate]
    user_for: Callable[[Persona], UserAgent]
    raters: Mapping[str, Rater]
    simulators: Mapping[str, Callable[[Persona, str], UserAgent]] = field(default_factory=dict)
    hold: Holder = hold_conversations

    def user(self, spec: EpisodeSpec, persona: Persona) -> UserAgent:
        """The user agent of one conversation."""
        return self.simulators[spec.simulator](persona, spec.id) if spec.simulator else self.user_for(persona)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended. ``turns`` and the episode counts are the journal's; ``seconds`` are of this call."""

    journal: Path
    turns: int
    episodes: int
    failed: int
    seconds: float


def run_study(
    plan: Plan,
    troupe: Troupe,
    out: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    inputs: Mapping[str, str] | None = None,
    callbacks: Callbacks = None,
    counters: Counters = nothing,
) -> RunOutcome:
    """Hold all conversations of ``plan`` and journal them in ``out``.

    ``resume``: go on from the journal there, failed episodes too (a new journal where there is none yet).
    ``inputs``: what else the transcripts follow from (hashes of model, adapters, prompts); kept with the journal, and
    a resume with others is refused. ``callbacks``: LangChain handlers that hear of every conversation, node and model
    call. ``counters``: what the models count meanwhile; noted in the journal, and held against the study's budget.

    Raises:
        JournalError: the journal is another study's, locked, damaged, there already, or cannot be written.
        BudgetError: the study's budget is spent, and something is still owed.
        KeyboardInterrupt: on Ctrl-C, after the turns in flight were finished.
    """
    return asyncio.run(
        run_study_async(
            plan,
            troupe,
            out,
            resume=resume,
            progress=progress,
            inputs=inputs,
            callbacks=callbacks,
            counters=counters,
        )
    )


async def run_study_async(
    plan: Plan,
    troupe: Troupe,
    out: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    inputs: Mapping[str, str] | None = None,
    callbacks: Callbacks = None,
    counters: Counters = nothing,
) -> RunOutcome:
    """As :func:`run_study`."""
    began = time.monotonic()
    progress = progress or NoProgress()
    with open_journal(plan, out, resume=resume, inputs=inputs or {}) as journal:
        write_study(plan.study, out / "study.yaml")
        journal.plan(plan.episodes)
        if resume:
            journal.owe_failed()
        progress.start(_turns_planned(plan, journal), journal.count().turns)
        try:
            async with HeartbeatWriter(journal, counters, progress.count) as heart:
                with StopSwitch(progress.note) as brake:
                    spending = Spending(plan.study.budget, brake.pull, journal.tokens())
                    specs = {spec.id: spec for spec in plan.episodes}
                    stage = _Stage(plan, troupe, journal, progress, brake, heart, spending, specs, callbacks)
                    with spending.clock(), collecting_rarely():
                        await _rounds(stage)
        finally:
            progress.finish()
        counts = journal.count()
        owed = len(plan.episodes) - counts.ended - counts.failed
        heart.note(DONE if owed == 0 else f"{STOPPED}{brake.reason}")
    if owed and brake.reason is not None:
        raise BudgetError(
            f"stopped: {brake.reason}; {counts.turns:,} turns are kept and {owed:,} conversations are still owed. "
            f"Go on with --resume and a larger budget; holdfast report {out} shows what there is"
        )
    return RunOutcome(out / JOURNAL, counts.turns, counts.ended, counts.failed, time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class _Stage:
    """What all rounds of a run share."""

    plan: Plan
    troupe: Troupe
    journal: Journal
    progress: Progress
    brake: StopSwitch
    heart: HeartbeatWriter
    spending: Spending
    specs: Mapping[str, EpisodeSpec]
    callbacks: Callbacks

    async def keep(self, record: TurnRecord) -> None:
        """A finished turn: into the journal first, then told."""
        self.journal.append(record)
        self.heart.beat()
        self.spending.add(sum(record.tokens), self.heart.counters)
        self.progress.advance()
        self.progress.see(self.specs[record.episode_id], record)


async def _rounds(stage: _Stage) -> None:
    """Round after round: the next begins when the last conversation of this one is over."""
    plan, journal = stage.plan, stage.journal
    people = worlds(plan)
    for number in range(plan.study.rounds):
        scene = _Round(stage, people)
        specs = [spec for spec in plan.episodes if spec.round == number]
        at_once = plan.study.conversations_at_once
        await stage.troupe.hold(specs, scene.cast, journal, stage.progress, at_once)
        if stage.brake.pulled():
            return
        if number + 1 < plan.study.rounds:
            people = next_round(people, journal.episodes(number))


@dataclass(frozen=True, slots=True)
class _Round:
    """One round's casting. ``people``: a population's agents with what they expect by now, in each world."""

    stage: _Stage
    people: Mapping[World, Population]

    def cast(self, spec: EpisodeSpec) -> Participants:
        plan, troupe = self.stage.plan, self.stage.troupe
        return Participants(
            spec=spec,
            task=plan.tasks[spec.task],
            user=troupe.user(spec, plan.personas[spec.persona]),
            candidate=troupe.candidates[spec.candidate],
            raters=troupe.raters,
            stop=stop_rule(spec, leave=plan.study.leave),
            on_turn=self.stage.keep,
            study_seed=plan.study.seed,
            desired=self.people[world_of(spec)].agents[spec.agent].desired if self.people else None,
            halted=self.stage.brake.pulled,
            callbacks=self.stage.callbacks,
        )


def stop_rule(spec: EpisodeSpec, *, leave: bool) -> StopRule:
    """The agreed length, or (where users may ``leave``) the user's own leaving and a loop of four equal replies too."""
    return MaxTurns(spec.max_turns) | UserLeaves() | Repeats(4) if leave else MaxTurns(spec.max_turns)


def open_journal(plan: Plan, out: Path, *, resume: bool, inputs: Mapping[str, str]) -> Journal:
    """A new journal for ``plan``, or its own from before; a JournalError where it is another study's."""
    path = out / JOURNAL
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(f"{out}: the run folder cannot be made ({error.strerror})") from error
    meta = {"study": plan.fingerprint, "study_sha256": plan.sha256, "inputs": json.dumps(inputs, sort_keys=True)}
    if not (resume and path.exists()):
        return Journal.create(path, meta)
    journal = Journal.resume(path)
    kept = journal.meta()
    changed = differences(kept["study"], meta["study"]) + differences(kept["inputs"], meta["inputs"])
    if changed:
        journal.close()
        shown = "".join(f"\n  {line}" for line in changed[:_MOST_DIFFERENCES])
        more = f"\n  and {len(changed) - _MOST_DIFFERENCES} more" if len(changed) > _MOST_DIFFERENCES else ""
        raise JournalError(
            f"{path}: cannot resume, the study has changed:{shown}{more}\nChange it back, or choose another --out"
        )
    return journal


def _turns_planned(plan: Plan, journal: Journal) -> int:
    """Turns that the run will have at most: full lengths of what is owed, what is there of what has ended."""
    ended = journal.ended()
    owed = sum(spec.max_turns for spec in plan.episodes if spec.id not in ended)
    return owed + journal.turns_of_ended()
