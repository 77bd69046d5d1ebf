"""Disks and files as they are met in real life: full, read-only, locked, foreign, from another version.

Each is one clear error, and nothing that was finished is lost. Real file systems where one can be mounted (as root).
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from holdfast.core.errors import JournalError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.journal.store import Journal, read_episodes
from tests.simulator.engine.studies import run, session, study, transcripts
from tests.simulator.recorded import record_run


def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small file system of its own; the test is skipped where that takes rights that we lack."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Leave no room at all."""
    with (disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """300 kB: room for some of the 162 turns that the study below asks for."""
    yield from mounted(tmp_path / "small", "size=300k")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path / "disk", "size=8m")


def test_a_full_disk_keeps_every_finished_turn(small_disk: Path, tmp_path: Path) -> None:
    plan, out = study(replicates=3), small_disk / "run"
    with pytest.raises(JournalError, match=r"the disk is full; every finished turn up to here is kept: make room"):
        run(session(plan), out)
    kept = [turn for episode in read_episodes(out / "journal.sqlite") for turn in episode.turns]
    assert 10 < len(kept) < 162
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)  # make room
    assert run(session(plan), out, resume=True).turns == 162
    run(session(plan), tmp_path / "calm")
    assert transcripts(out) == transcripts(tmp_path / "calm")


def test_a_full_disk_on_the_command_line(small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = record_run(tmp_path / "old", replicates=6)
    command = ["run", str(old / "study.yaml"), "--replay", str(old), "--out", str(small_disk / "run"), "--quiet"]
    assert run_command(command) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    assert "the disk is full" in told
    assert run_command(["status", str(small_disk / "run")]) == 0  # one can still look
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert run_command([*command, "--resume"]) == 0
    assert transcripts(small_disk / "run") == transcripts(old)


def test_a_report_that_finds_no_room(disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = record_run(disk / "run")
    fill(disk)
    assert run_command(["report", str(out), "--quiet"]) == 1
    told = capsys.readouterr().err
    assert "No space left on device" in told
    assert f"holdfast report {out}" in told
    (disk / "ballast").unlink()
    assert run_command(["report", str(out), "--quiet"]) == 0


def test_a_file_system_that_is_read_only(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = record_run(disk / "run")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    plan = study()
    with pytest.raises(JournalError, match=r"the run folder cannot be (made|written) \(Read-only file system\)"):
        run(session(plan), disk / "new")
    with pytest.raises(JournalError, match=r"the run folder cannot be written \(Read-only file system\)"):
        run(session(plan), out, resume=True)
    assert len(read_episodes(out / "journal.sqlite")) == 6  # reading goes on
    assert run_command(["status", str(out)]) == 0
    assert "36 done, 0 owed" in capsys.readouterr().out
    command = ["run", str(out / "study.yaml"), "--replay", str(out), "--out", str(disk / "new"), "--quiet"]
    assert run_command(command) in (1, 2)
    assert "Read-only file system" in capsys.readouterr().err


def test_two_runs_at_once(tmp_path: Path) -> None:
    plan = study()
    run(session(plan), tmp_path)
    with (
        Journal.resume(tmp_path / "journal.sqlite"),
        pytest.raises(JournalError, match=rf"another run is writing here \(process {os.getpid()} on "),
    ):
        run(session(plan), tmp_path, resume=True)
    assert run(session(plan), tmp_path, resume=True).turns == 54


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("PRAGMA application_id=7", "an SQLite file, but not a holdfast journal; choose another --out"),
        ("PRAGMA user_version=0", r"written by an older holdfast \(journal version 0, this one reads 1 to 6\)"),
        ("PRAGMA user_version=99", r"written by a newer holdfast \(journal version 99, this one reads 1 to 6\)"),
    ],
)
def test_a_foreign_file_or_one_of_another_version_is_left_alone(tmp_path: Path, mark: str, told: str) -> None:
    plan, path = study(), tmp_path / "journal.sqlite"
    run(session(plan), tmp_path)
    with sqlite3.connect(path) as db:
        db.execute(mark)
    db.close()
    before = path.read_bytes()
    for attempt in (lambda: run(session(plan), tmp_path, resume=True), lambda: read_episodes(path)):
        with pytest.raises(JournalError, match=told):
            attempt()
    assert path.read_bytes() == before
