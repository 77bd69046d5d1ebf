"""How a run stands: from its journal alone, while another process writes it, and after that one was killed."""

from __future__ import annotations

import asyncio
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Semaphore

import pytest

from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.agents.users.protocol import Intention
from holdfast.core.errors import InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.cli.studies.status import lines
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.monitor.heartbeat import Heartbeat, HeartbeatWriter, read_heartbeat
from holdfast.simulator.monitor.running_means import RunningMeans, counter_words
from holdfast.simulator.monitor.status import StatusReader
from holdfast.simulator.records import EpisodeSpec, TurnRecord
from tests.simulator.engine.studies import run, session, study
from tests.simulator.engine.test_run import start, wait_for_turns
from tests.simulator.scripted import HashModel


def test_a_run_that_is_done(tmp_path: Path) -> None:
    plan = study()
    run(session(plan, HashModel(fail="system_prompt/jun_park")), tmp_path)
    now = StatusReader(tmp_path).look()
    assert (now.state, now.turns, now.turns_owed) == ("done", 48, 0)
    assert (now.episodes, now.ended, now.failed) == (9, 8, 1)
    assert now.causes == {"no answer for system_prompt/jun_park/1/6/0": 1}
    assert set(now.adherence) == {"base", "system_prompt", "adapter"}
    assert now.seconds_left is None


def test_a_run_in_another_process_and_after_its_death(tmp_path: Path) -> None:
    process = start(tmp_path, pause=0.4)
    try:
        wait_for_turns(tmp_path, 12)
        reader = StatusReader(tmp_path)
        now = reader.look()
        assert now.state == "running"
        assert now.turns + now.turns_owed == 162
        wait_for_turns(tmp_path, now.turns + 5)
        assert reader.look().turns > now.turns
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    later = reader.look()
    assert (later.state, later.reason) == ("stopped", f"process {process.pid} is gone")
    assert later.adherence == pytest.approx(StatusReader(tmp_path).look().adherence)  # looked at in parts or at once
    assert lines(later)[-1] == f"go on with     holdfast run {tmp_path}/study.yaml --out {tmp_path} --resume"


def test_a_look_adds_up_however_fast_the_run_writes(tmp_path: Path) -> None:
    specs = [EpisodeSpec("amira", "bug_hunt", "base", seed, 100) for seed in range(20)]
    with Journal.create(tmp_path / "journal.sqlite", {}) as journal:
        journal.plan(specs)
    looks = Semaphore(0)

    def write() -> None:
        with Journal.resume(tmp_path / "journal.sqlite") as journal:
            for turn in range(1, 101):
                for spec in specs:
                    said = TurnRecord(
                        spec.id, turn, "hm", Intention("feel"), "ok", {"linear": expressed(0, 1, 0)}, {}, 50.0, {}
                    )
                    journal.append(said)
                assert looks.acquire(timeout=30)  # so that a hundred looks fall into its writing

    reader = StatusReader(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(write)
        while not run.done():
            now = reader.look()
            assert now.turns + now.turns_owed == 2_000
            looks.release()
        run.result()
    assert reader.look().turns == 2_000


def test_adherence_by_hand() -> None:
    """Target (2, 0, 0). Levels (2, 0, 0): 1. Levels (0, 1, 0): 1 - (2 + 1 + 0) / 3 / 2 = 0.5. Disqualified: 0."""
    means = RunningMeans({"burnout": (2.0, 0.0, 0.0)})
    means.add("base", "burnout", [expressed(2, 0, 0)])
    means.add("base", "burnout", [expressed(0, 1, 0), Rating(missing="not rated")])
    means.add("base", "unknown task", [expressed(0, 0, 0)])
    assert means.means() == {"base": 0.75}
    means.add("base", "burnout", [replace(expressed(2, 0, 0), disqualified="loop")])
    assert means.means() == {"base": 0.5}
    assert means.turns == {"base": 3}
    assert means.words() == "adherence so far: base 0.50"


def test_speed_is_unknown_in_the_first_second() -> None:
    early = Heartbeat(1, "here", began=10.0, at=10.5, turns_before=0, turns=50)
    assert early.turns_per_s is None
    later = Heartbeat(1, "here", began=10.0, at=20.0, turns_before=20, turns=70)
    assert later.turns_per_s == 5.0  # 50 turns in 10 s


def test_counters_in_words() -> None:
    counted = {"requests": 1204.0, "pauses": 0, "retries": 2, "retries: reset": 2, "cost_usd": 0.414}
    assert counter_words(counted) == "requests 1,204, retries 2, cost usd 0.41"


async def test_a_heartbeat_is_written_while_no_turn_is_finished(tmp_path: Path) -> None:
    """An endpoint that never answers: the retries are seen all the same, and why it ended."""
    retries = count(1)
    counted: list[float] = []
    with Journal.create(tmp_path / "journal.sqlite", {}) as journal:
        heartbeat_writer = HeartbeatWriter(
            journal, lambda: {"retries": next(retries)}, lambda c: counted.append(c["retries"]), every=0.02
        )

        async def wait_for_ever() -> None:
            async with heartbeat_writer:
                await asyncio.Event().wait()

        run = asyncio.create_task(wait_for_ever())
        while len(counted) < 4:
            await asyncio.sleep(0.01)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        heartbeat = read_heartbeat(journal.meta())
    assert counted == sorted(counted)
    assert heartbeat is not None
    assert (heartbeat.state, heartbeat.turns, heartbeat.counters["retries"]) == ("stopped: interrupted", 0, counted[-1])


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = study()
    run(session(plan), tmp_path)
    assert run_command(["status", str(tmp_path)]) == 0
    assert "54 done, 0 owed" in capsys.readouterr().out
    assert run_command(["status", str(tmp_path), "--json", "--watch"]) == 0  # it is over: one look
    assert json.loads(capsys.readouterr().out)["ended"] == 9
    assert run_command(["status", str(tmp_path / "empty")]) == 2
    (tmp_path / "empty").mkdir()
    assert run_command(["status", str(tmp_path / "empty")]) == 2
    assert "no run stands here (there is no journal.sqlite)" in capsys.readouterr().err


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such run folder"):
        StatusReader(tmp_path / "absent")
