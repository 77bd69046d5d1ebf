"""A study run again from its journal: same words without a model, and a clear cause where the words differ."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import expressed
from holdfast.agents.users.protocol import Spoken, UserState
from holdfast.core.errors import JournalError, ModelError
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.journal.replay import ReplayedCandidate, ReplayedUser, require_episodes
from holdfast.simulator.journal.store import Journal, read_episodes
from holdfast.simulator.runtime.session import Session
from tests.simulator.engine.studies import run, session, study, transcripts
from tests.simulator.scripted import ScriptedUser


def replayed(plan: Plan, old: Journal) -> Session:
    """As :func:`session`, without a model."""
    candidates = {name: ReplayedCandidate(name, old) for name in plan.study.candidate_names}
    return replace(session(plan), candidates=candidates)


def test_the_same_transcripts_without_a_model(tmp_path: Path) -> None:
    plan = study()
    first = run(session(plan), tmp_path / "old")
    with Journal.read(first.journal) as old:
        require_episodes(old, plan.episodes)
        run(replayed(plan, old), tmp_path / "new")
    assert read_episodes(tmp_path / "new" / "journal.sqlite") == read_episodes(first.journal)


def test_users_that_a_model_played_are_replayed_too(tmp_path: Path) -> None:
    """Words, feelings and leaving come from the journal, even where the rater has changed."""
    plan = study(leave=True)
    run(session(plan, leaves_after=4), tmp_path / "old")
    with Journal.read(tmp_path / "old" / "journal.sqlite") as old:
        for spec in plan.episodes:
            user = ReplayedUser(plan.personas[spec.persona], old, spec.id)
            kept = asyncio.run(replayed_turns(user))
            then = old.turns(spec.id)
            assert kept == [(turn.user, turn.said, dict(turn.felt), turn.emotion) for turn in then]
            assert len(then) == 4


async def replayed_turns(user: ReplayedUser) -> list[tuple[object, ...]]:
    """What the user says and feels until it leaves, to a rater of another mind."""
    state, turns = user.begin(1), []
    while True:
        spoken = await user.speak(state, (), 1)
        felt = await user.feel(spoken.state, spoken.said, "whatever", expressed(0.0, 0.0, 0.0), 1)
        turns.append((spoken.text, spoken.said, dict(felt.dimensions), felt.state.emotion))
        state = felt.state
        if felt.leave is not None:
            assert felt.leave == "enough"
            return turns


async def test_a_user_has_nothing_to_say_beyond_its_journal(tmp_path: Path) -> None:
    plan = study()
    with Journal.create(tmp_path / "journal.sqlite", {}) as empty:
        user = ReplayedUser(plan.personas["jun_park"], empty, "base/jun_park/1/6/0")
        with pytest.raises(ModelError, match="has no turn 1 of this conversation"):
            await user.speak(user.begin(1), (), 1)


@dataclass(frozen=True)
class Changed(ScriptedUser):
    """Says something else from its third message on."""

    async def speak(self, state: UserState, messages: tuple[Message, ...], seed: int) -> Spoken:  # type: ignore[override]
        spoken = await super().speak(state, messages, seed)
        return spoken if len(messages) < 4 else replace(spoken, text="Something else.")


def test_other_words_of_a_user_are_told(tmp_path: Path) -> None:
    plan = study()
    run(session(plan), tmp_path / "old")
    with Journal.read(tmp_path / "old" / "journal.sqlite") as old:
        changed = replace(replayed(plan, old), user_for=lambda episode, persona: Changed(persona))
        outcome = run(changed, tmp_path / "new")
    assert outcome.failed == 9
    for then, now in zip(
        read_episodes(tmp_path / "old" / "journal.sqlite"), read_episodes(outcome.journal), strict=True
    ):
        assert now.turns == then.turns[:2]
        assert now.error is not None
        assert now.error.startswith(f"turn 3: the user said {then.turns[2].user!r} in the journal and now says 'Some")


def test_a_journal_that_lacks_conversations_is_refused_by_name(tmp_path: Path) -> None:
    few, many = study(), study(replicates=2)
    run(session(few), tmp_path)
    with (
        Journal.read(tmp_path / "journal.sqlite") as old,
        pytest.raises(
            JournalError, match=r"lacks 9 conversations of this study: base/amara_okafor/2/6/0, .* and 6 more"
        ),
    ):
        require_episodes(old, many.episodes)


def test_a_conversation_that_had_failed_fails_where_its_turns_end(tmp_path: Path) -> None:
    from tests.simulator.scripted import HashModel

    plan = study()
    run(session(plan, HashModel(fail="system_prompt/jun_park")), tmp_path / "old")
    with Journal.read(tmp_path / "old" / "journal.sqlite") as old:
        outcome = run(replayed(plan, old), tmp_path / "new")
    (failed,) = [episode for episode in read_episodes(outcome.journal) if episode.error]
    assert "has no turn 1 of this conversation" in str(failed.error)
    assert transcripts(tmp_path / "new") == transcripts(tmp_path / "old")
