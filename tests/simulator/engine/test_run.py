"""Runs that are calm, shuffled, killed, interrupted, failing: the transcripts are the same, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.agents.protocols import Generation, GenerationRequest
from holdfast.core.errors import InputError, JournalError, TakenError
from holdfast.simulator.engine.run import run_study
from holdfast.simulator.journal.store import Journal, read_episodes
from holdfast.simulator.monitor.progress import NoProgress, RunFigures
from holdfast.simulator.monitor.running_means import pattern_targets
from tests.launch import LAUNCH
from tests.simulator.engine.studies import run, session, study, transcripts
from tests.simulator.scripted import HashModel

ROOT = Path(__file__).parents[3]


def start(out: Path, pause: float) -> subprocess.Popen[str]:
    script = [sys.executable, LAUNCH, "tests.simulator.engine.studies", str(out), str(pause)]
    return subprocess.Popen(script, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def wait_for_turns(out: Path, turns: int) -> None:
    """Until the journal of a run in another process holds so many."""
    for _ in range(600):
        if (out / "journal.sqlite").exists():
            with Journal.read(out / "journal.sqlite") as journal:
                if journal.count().turns >= turns:
                    return
        time.sleep(0.05)
    raise AssertionError("the run never got there")


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The transcripts of the script's study, run in peace."""
    out = tmp_path_factory.mktemp("calm")
    plan = study(replicates=3)
    run(session(plan), out)
    return transcripts(out)


def test_every_turn_is_there_once(tmp_path: Path) -> None:
    plan = study(replicates=2)
    outcome = run(session(plan), tmp_path)
    episodes = read_episodes(outcome.journal)
    assert [episode.spec for episode in episodes] == list(plan.episodes)
    assert all([turn.turn for turn in episode.turns] == [1, 2, 3, 4, 5, 6] for episode in episodes)
    assert {episode.turns[-1].stop for episode in episodes} == {"max turns"}
    assert (outcome.turns, outcome.episodes, outcome.failed) == (3 * 3 * 2 * 6, 18, 0)


@pytest.mark.parametrize("batch_size", [1, 32])
def test_transcripts_do_not_depend_on_who_runs_beside_whom(tmp_path: Path, calm: str, batch_size: int) -> None:
    plan = study(replicates=3, batch_size=batch_size)
    model = HashModel(pause=0.004)  # replies come back in a random order
    run(session(plan, model), tmp_path)
    assert min(batch_size, 9) <= model.busiest <= batch_size
    assert transcripts(tmp_path) == calm


def test_users_say_the_same_to_every_candidate_at_first(tmp_path: Path) -> None:
    plan = study(replicates=1)
    run(session(plan), tmp_path)
    openings: dict[str, set[str]] = {}
    for episode in read_episodes(tmp_path / "journal.sqlite"):
        openings.setdefault(episode.spec.persona, set()).add(episode.turns[0].user)
    assert all(len(texts) == 1 for texts in openings.values())


def test_another_seed_is_another_study(tmp_path: Path, calm: str) -> None:
    plan = study(replicates=3, seed=6)
    run(session(plan), tmp_path)
    assert transcripts(tmp_path) != calm


def test_killed_and_resumed_equals_calm(tmp_path: Path, calm: str) -> None:
    for turns in (20, 70, 110):
        process = start(tmp_path, pause=0.1)
        wait_for_turns(tmp_path, turns)
        process.send_signal(signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL
    with Journal.read(tmp_path / "journal.sqlite") as journal:
        kept = journal.count().turns
    assert 110 <= kept < 162
    plan = study(replicates=3)
    model = HashModel()
    run(session(plan, model), tmp_path, resume=True)
    assert transcripts(tmp_path) == calm
    assert len(model.requests) == 162 - kept  # no finished turn was asked for again


def test_ctrl_c_keeps_the_turns_in_flight(tmp_path: Path, calm: str) -> None:
    process = start(tmp_path, pause=0.2)
    wait_for_turns(tmp_path, 20)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert process.stderr is not None
    assert "the turns in flight are being finished and kept" in process.stderr.read()
    assert start(tmp_path, pause=0.0).wait(60) == 0
    assert transcripts(tmp_path) == calm


class Interrupting(HashModel):
    """Presses Ctrl-C ``presses`` times when it is asked for the fifth time, and never answers that request if twice."""

    presses = 1
    asked = 0
    finished = 0

    async def generate(self, request: GenerationRequest) -> Generation:
        self.asked += 1
        if self.asked == 5:
            for _ in range(self.presses):
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(0.05)  # two signals at the same moment are one
            if self.presses == 2:
                await asyncio.Event().wait()
        made = await super().generate(request)
        self.finished += 1
        return made


def test_after_ctrl_c_no_turn_starts_and_none_in_flight_is_lost(tmp_path: Path) -> None:
    plan, model = study(), Interrupting(pause=0.05)
    with pytest.raises(KeyboardInterrupt):
        run(session(plan, model), tmp_path)
    with Journal.read(tmp_path / "journal.sqlite") as journal:
        assert journal.count().turns == model.finished == model.asked < 12


def test_adherence_so_far_counts_what_the_journal_held(tmp_path: Path) -> None:
    def figures(out: Path, *, resume: bool = False, model: HashModel | None = None) -> dict[str, float]:
        progress = RunFigures()
        progress.expect(pattern_targets(plan.tasks, plan.patterns))
        run(session(plan, model), out, resume=resume, progress=progress)
        return progress.means.means()

    plan = study()
    with pytest.raises(KeyboardInterrupt):
        figures(tmp_path / "stopped", model=Interrupting(pause=0.05))
    resumed = figures(tmp_path / "stopped", resume=True)
    assert resumed == pytest.approx(figures(tmp_path / "calm"))
    assert len(set(resumed.values())) > 1


def test_a_second_ctrl_c_does_not_wait_for_an_answer_that_never_comes(tmp_path: Path) -> None:
    plan, model = study(), Interrupting()
    model.presses = 2
    with pytest.raises(KeyboardInterrupt):
        run(session(plan, model), tmp_path)
    with Journal.read(tmp_path / "journal.sqlite") as journal:
        assert journal.count().turns == model.finished < model.asked
    run(session(plan), tmp_path, resume=True)
    run(session(plan), tmp_path / "calm")
    assert transcripts(tmp_path) == transcripts(tmp_path / "calm")


def test_ctrl_c_is_heard_although_no_model_ever_waits(tmp_path: Path) -> None:
    class Restless(HashModel):
        async def generate(self, request: GenerationRequest) -> Generation:
            self.requests.append(request)
            if len(self.requests) == 100:
                os.kill(os.getpid(), signal.SIGINT)
            return Generation("That sounds hard.", 1, 1)

    plan, model = study(replicates=8, turns=20, concurrency=100), Restless()
    with pytest.raises(KeyboardInterrupt):
        run(session(plan, model), tmp_path)
    assert 100 <= len(model.requests) < 250


async def test_a_cancelled_run_keeps_what_was_finished(tmp_path: Path) -> None:
    class Hanging(HashModel):
        hanging = 0

        async def generate(self, request: GenerationRequest) -> Generation:
            if len(self.requests) >= 100:
                self.hanging += 1
                await asyncio.Event().wait()
            return await super().generate(request)

    plan, model = study(replicates=8, turns=4, concurrency=100), Hanging()
    task = asyncio.create_task(run_study(session(plan, model), tmp_path))
    while model.hanging < 72:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with Journal.read(tmp_path / "journal.sqlite") as journal:
        assert journal.count().turns == 100


def test_a_failed_conversation_is_a_record_and_the_others_go_on(tmp_path: Path) -> None:
    plan = study()
    outcome = run(session(plan, HashModel(fail="system_prompt/jun_park")), tmp_path)
    assert (outcome.episodes, outcome.failed) == (8, 1)
    (failed,) = [episode for episode in read_episodes(outcome.journal) if episode.error]
    assert failed.error == "no answer for system_prompt/jun_park/1/6/0"
    assert failed.turns == ()


def test_resume_tries_failed_conversations_again(tmp_path: Path) -> None:
    plan = study()
    run(session(plan), tmp_path / "calm")
    run(session(plan, HashModel(fail="jun_park")), tmp_path / "failed")
    outcome = run(session(plan), tmp_path / "failed", resume=True)
    assert outcome.failed == 0
    assert transcripts(tmp_path / "failed") == transcripts(tmp_path / "calm")


def test_an_unforeseen_error_says_its_type(tmp_path: Path) -> None:
    class Broken(HashModel):
        async def generate(self, request: GenerationRequest) -> Generation:
            raise ZeroDivisionError("in the model")

    plan = study()
    outcome = run(session(plan, Broken()), tmp_path)
    assert outcome.failed == 9
    assert {episode.error for episode in read_episodes(outcome.journal)} == {"ZeroDivisionError: in the model"}


def test_resume_with_another_study_is_refused_by_name(tmp_path: Path) -> None:
    plan = study()
    run(session(plan), tmp_path)
    other = study(turns=9, candidates=("base", "system_prompt"))
    with pytest.raises(TakenError, match=r"the study has changed:(.|\n)*turns: was 6, now 9"):
        run(session(other), tmp_path, resume=True)
    faster = study(batch_size=9)  # changes nothing that is found
    assert run(session(faster), tmp_path, resume=True).turns == 54


def test_resume_with_other_weights_is_refused(tmp_path: Path) -> None:
    plan = study()
    run(session(plan, inputs={"adapter solver": "aaa"}), tmp_path)
    with pytest.raises(TakenError, match='adapter solver: was "aaa", now "bbb"'):
        run(session(plan, inputs={"adapter solver": "bbb"}), tmp_path, resume=True)


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    plan = study()
    run(session(plan), tmp_path)
    with pytest.raises(TakenError, match="a journal is already here; go on with --resume"):
        run(session(plan), tmp_path)
    assert issubclass(TakenError, InputError)  # the command line exits with 2


def test_users_may_leave_where_the_study_says_so(tmp_path: Path) -> None:
    plan = study(leave=True)
    run(session(plan, leaves_after=2), tmp_path / "a")
    assert {len(e.turns) for e in read_episodes(tmp_path / "a" / "journal.sqlite")} == {2}
    assert {e.turns[-1].stop for e in read_episodes(tmp_path / "a" / "journal.sqlite")} == {"user left: enough"}
    plan = study(leave=False)
    run(session(plan, leaves_after=2), tmp_path / "b")
    assert {len(e.turns) for e in read_episodes(tmp_path / "b" / "journal.sqlite")} == {6}


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own page limit raises the very error of a full disk."""
    plan = study(replicates=3)
    connect = sqlite3.connect
    pages = 30

    def small_disk(*args: object, **kwargs: object) -> sqlite3.Connection:
        connection = connect(*args, **kwargs)  # type: ignore[call-overload]
        connection.execute(f"PRAGMA max_page_count={pages}")
        return connection  # type: ignore[no-any-return]

    monkeypatch.setattr(sqlite3, "connect", small_disk)
    model = HashModel()
    with pytest.raises(JournalError, match=r"the disk is full; every finished turn up to here is kept: make room"):
        run(session(plan, model), tmp_path, progress=NoProgress())
    monkeypatch.undo()
    with Journal.read(tmp_path / "journal.sqlite") as journal:
        assert 0 < journal.count().turns < 162
    run(session(plan), tmp_path, resume=True)
    run(session(plan), tmp_path / "calm")
    assert transcripts(tmp_path) == transcripts(tmp_path / "calm")
