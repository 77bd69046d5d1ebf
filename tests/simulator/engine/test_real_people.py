"""The engine with the embedded user agents and the linear rater: everything real but the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.journal.store import Journal, read_episodes
from holdfast.simulator.journal.verify import PULSE
from holdfast.simulator.runtime.session import Session, user_factory
from tests.simulator.engine.studies import run, session, study, transcripts
from tests.simulator.scripted import HashModel

LENGTH = 15


def people(plan: Plan, pause: float = 0.0) -> Session:
    return session(
        plan, HashModel(pause=pause), user_for=user_factory(plan.study, {}), raters={"linear": LinearRater()}
    )


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("calm")
    plan = study(turns=LENGTH)
    run(people(plan), out)
    return out


@pytest.mark.parametrize("batch_size", [1, 32])
def test_same_words_whatever_the_batch(tmp_path: Path, calm: Path, batch_size: int) -> None:
    plan = study(turns=LENGTH, batch_size=batch_size)
    run(people(plan, pause=0.003), tmp_path)
    assert transcripts(tmp_path) == transcripts(calm)


def test_resume_from_early_and_late_turns_equals_calm(tmp_path: Path, calm: Path) -> None:
    """One journal per number of turns that each conversation had when the run died."""
    plan = study(turns=LENGTH)
    whole = read_episodes(calm / "journal.sqlite")
    with Journal.read(calm / "journal.sqlite") as journal:
        meta = {key: value for key, value in journal.meta().items() if key != PULSE}  # it counts the turns
    for kept in (0, 1, 6, LENGTH - 1):
        out = tmp_path / str(kept)
        out.mkdir()
        with Journal.create(out / "journal.sqlite", meta) as journal:
            journal.plan(plan.episodes)
            for turn in (turn for episode in whole for turn in episode.turns[:kept]):
                journal.append(turn)
        run(people(plan), out, resume=True)
        assert read_episodes(out / "journal.sqlite") == whole


def test_the_journal_keeps_a_bounded_state(calm: Path) -> None:
    turns = [turn for episode in read_episodes(calm / "journal.sqlite") for turn in episode.turns]
    early = max(len(repr(turn.state)) for turn in turns if turn.turn <= 5)
    late = max(len(repr(turn.state)) for turn in turns if turn.turn > 10)
    assert late < 1.5 * early
