"""Hold a study's users, so that it can be measured how they talk: with its own model, or with replies of a log."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from holdfast.adapters.micro import base_path
from holdfast.agents.models.opening import open_models, references
from holdfast.agents.protocols import AssistantView, Candidate, Reply
from holdfast.core.errors import InputError, ModelError
from holdfast.core.reading.skips import SkippedLine
from holdfast.core.seeds import derive_seed
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.engine.run import run_study
from holdfast.simulator.logs.sources import open_sources, read_all
from holdfast.simulator.logs.turns import turns_of
from holdfast.simulator.monitor.progress import Progress
from holdfast.simulator.runtime.raters import coalesced, judge_models, rater_inputs, raters_of
from holdfast.simulator.runtime.resources import open_resources
from holdfast.simulator.runtime.run_folder import rater_records, record_run, versions
from holdfast.simulator.runtime.session import Session, session_of, user_factory

CANDIDATE = "base"


@dataclass(frozen=True, slots=True)
class LoggedReplies:
    """Replies with what supporters of a log said at the same place; a conversation keeps to one of the log, drawn by
    its id, and begins it again where it ends. Implements :class:`holdfast.agents.protocols.Candidate`."""

    conversations: Sequence[Sequence[str]]
    name: str = CANDIDATE
    knows_task: bool = False
    prompt_hashes: Mapping[str, str] = field(default_factory=dict)

    async def reply(self, view: AssistantView) -> Reply:
        chosen = self.conversations[derive_seed("logged replies", view.episode_id) % len(self.conversations)]
        return Reply(chosen[(view.turn - 1) % len(chosen)])


def logged_replies(path: Path) -> LoggedReplies:
    """Read the replies of a log. Raises InputError where there is none."""
    talks = [entry for entry in read_all(open_sources([path])) if not isinstance(entry, SkippedLine)]
    replies = [[turn.reply for turn in turns_of(talk.messages).turns if turn.reply.strip()] for talk in talks]
    if not any(replies):
        raise InputError(f"{path}: no assistant says anything in it; name a log with replies")
    return LoggedReplies([each for each in replies if each])


def only_users(study: StudyConfig, turns: int | None, replicates: int | None, voice: str | None) -> StudyConfig:
    """Return the study of its users alone: one candidate, no training, no population.

    Raises:
        InputError: ``voice`` is given and no user of the study is embedded.
    """
    users = [spec.model_dump(mode="json", exclude_none=True) for spec in study.users]
    if voice is not None and all(spec["kind"] != "embedded" for spec in users):
        raise InputError("--voice is that of embedded users, and this study has none; leave it out")
    if voice is not None:
        users = [spec | {"voice": voice} if spec["kind"] == "embedded" else spec for spec in users]
    changes: dict[str, Any] = {
        "candidates": [CANDIDATE],
        "users": users,
        "turns": turns or max(study.all_lengths),
        "replicates": replicates or study.replicates,
    }
    alone = {"baseline", "training", "adapters", "lengths", "population", "rounds"}
    kept = study.model_dump(mode="json", exclude=alone | set(changes), exclude_none=True)
    return StudyConfig.model_validate(kept | changes)


def hold_users(study: StudyConfig, out: Path, replies: LoggedReplies | None, progress: Progress) -> None:
    """Hold the conversations of :func:`only_users` in the run folder ``out``.

    ``replies``: instead of the study's model, which is then loaded only where it plays users.

    Raises:
        InputError, ModelError: A model cannot be loaded, or every conversation has failed.
    """
    plan = resolve(study)
    with ExitStack() as stack:
        if replies is not None and all(users.kind == "embedded" for users in study.users):
            session = _without_models(plan, replies)
        else:
            resources = stack.enter_context(closing(open_resources(plan)))
            session = session_of(resources)
            if replies is not None:
                session = replace(session, candidates={CANDIDATE: replies})
        with record_run(out, {}, session.provenance):
            outcome = asyncio.run(run_study(session, out, progress=progress))
    if outcome.failure is not None:
        raise ModelError(outcome.failure)


def _without_models(plan: Plan, replies: Candidate) -> Session:
    """Embedded users and the study's raters, without the study's model."""
    raters = raters_of(plan.study, open_models(references(judge_models(plan.study), base_path())))
    return Session(
        plan,
        candidates={CANDIDATE: replies},
        user_for=user_factory(plan.study, {}),
        raters=coalesced(raters),
        inputs=rater_inputs(raters, plan.study),
        provenance={**versions(("langgraph", "numpy")), "raters": rater_records(raters)},
    )
