"""Damaged run folders: every reader says what is wrong in one line, and no figure is made from what was altered."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.core.errors import HoldfastError, JournalError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.journal.digests import row_digest
from holdfast.simulator.journal.rows import turn_row
from holdfast.simulator.journal.store import Journal, read_episodes
from holdfast.simulator.monitor.heartbeat import Heartbeat, process_start
from tests.simulator.recorded import record_run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_run(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture
def out(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "run")
    return tmp_path / "run"


def sql(out: Path, *statements: str) -> None:
    db = sqlite3.connect(out / "journal.sqlite", isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


FIRST = "episode = 'base/amara_okafor/1/6/0'"
ALTERED = {
    "a bit of a reply": (
        f"UPDATE turns SET reply = 'x' || substr(reply, 2) WHERE {FIRST} AND turn = 3",
        "turn 3 of the conversation 'base/amara_okafor/1/6/0' is not as it was written",
    ),
    "a rating": (f"UPDATE turns SET ratings = replace(ratings, '0', '1') WHERE {FIRST} AND turn = 1", "turn 1 of"),
    "a number": (f"UPDATE turns SET emotion = emotion + 1e-9 WHERE {FIRST} AND turn = 6", "turn 6 of"),
    "a turn in the middle": (f"DELETE FROM turns WHERE {FIRST} AND turn = 3", "turn 3 of the conversation"),
    "the last turn": (f"DELETE FROM turns WHERE {FIRST} AND turn = 6", "its last turns are missing"),
    "all turns of one": (f"DELETE FROM turns WHERE {FIRST}", "its last turns are missing"),
    "a conversation": (
        "DELETE FROM episodes WHERE place = 1",
        "'base/amara_okafor/1/6/0' has turns and no description",
    ),
    "a description": (
        "UPDATE episodes SET spec = replace(spec, 'system_prompt', 'base') WHERE place = 2",
        "the conversation 'system_prompt/amara_okafor/1/6/0' is not as it was written",
    ),
    "two turns swapped": (
        f"UPDATE turns SET turn = CASE turn WHEN 2 THEN -3 WHEN 3 THEN 2 END WHERE {FIRST} AND turn IN (2, 3)",
        "is not as it was written",
    ),
    "an end": ("UPDATE episodes SET ended = 0 WHERE place = 1", "is not as it was written"),
    "a digest": ("UPDATE turns SET digest = NULL WHERE rowid = 5", "is not as it was written"),
    "the study": ("UPDATE meta SET value = value || ' ' WHERE key = 'study'", "the entry 'study' is not as it was"),
    "a NULL where the schema forbids none": ("UPDATE turns SET digest = 7 WHERE rowid = 5", "not as it was written"),
    "no table of turns": ("DROP TABLE turns", "no such table"),
    "no table of episodes": ("DROP TABLE episodes", "no such table"),
    "no column": ("ALTER TABLE turns DROP COLUMN reply", "no such column"),
    "text that is no UTF-8": (f"UPDATE turns SET reply = CAST(x'ff00' AS TEXT) WHERE {FIRST}", "damaged"),
    "a blob": (f"UPDATE turns SET reply = x'ff00' WHERE {FIRST} AND turn = 1", "turn 1 of the conversation"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_what_was_altered_is_named_by_every_reader(
    out: Path, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statement, named = ALTERED[what]
    sql(out, statement)
    with pytest.raises(JournalError) as caught:
        read_episodes(out / "journal.sqlite")
    assert named in str(caught.value)
    (out / "results.json").unlink(missing_ok=True)
    for command in (["report", str(out), "-q"], ["export", str(out), "--to", "jsonl", "--out", str(tmp_path / "rows")]):
        assert run_command(command) == 1
        assert named in capsys.readouterr().err
    assert not (out / "results.json").exists()
    with pytest.raises(JournalError):
        Journal.resume(out / "journal.sqlite")
    assert run_command(["status", str(out)]) in (0, 1)


def test_turns_that_were_there_at_the_last_sign_of_life(out: Path) -> None:
    """All of an unfinished conversation's end is gone: only the count tells."""
    with Journal.resume(out / "journal.sqlite") as journal:
        journal.remember("pulse", json.dumps({"turns": 37}))
    with pytest.raises(JournalError, match="36 turns are there, and there were 37: the last ones are missing"):
        read_episodes(out / "journal.sqlite")


def test_any_byte_of_the_file(whole: Path, tmp_path: Path) -> None:
    """Flipped anywhere: either everything is read as it was, or one error says what is wrong."""
    path, told = tmp_path / "journal.sqlite", 0
    data, before = (whole / "journal.sqlite").read_bytes(), read_episodes(whole / "journal.sqlite")
    draw = random.Random(1)
    for _ in range(150):
        altered = bytearray(data)
        altered[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(altered)
        try:
            assert read_episodes(path) == before
        except HoldfastError:
            told += 1
    assert told > 50


@pytest.mark.parametrize("how", ["empty", "half", "zeros", "noise", "text", "a folder", "a pipe", "gone"])
def test_files_of_another_kind(out: Path, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each in place of each file of the folder: an exit code and one clear line, at once."""
    for name in ("journal.sqlite", "run.json", "study.yaml", "results.json"):
        path = out / name
        kept = path.read_bytes() if path.exists() else b"{}"
        path.unlink(missing_ok=True)
        SPOILT[how](path, kept)
        for command in ("status", "report", "power"):
            assert run_command([command, str(out)]) in (0, 1, 2)
        assert run_command(["measure", str(out), "--out", str(out / "measured"), "-q"]) in (0, 1, 2)
        assert "Traceback" not in capsys.readouterr().err
        if path.is_dir():
            path.rmdir()
        path.unlink(missing_ok=True)
        path.write_bytes(kept)


SPOILT: dict[str, Callable[[Path, bytes], object]] = {
    "empty": lambda path, kept: path.write_bytes(b""),
    "half": lambda path, kept: path.write_bytes(kept[: len(kept) // 2]),
    "zeros": lambda path, kept: path.write_bytes(bytes(len(kept))),
    "noise": lambda path, kept: path.write_bytes(random.Random(2).randbytes(len(kept))),
    "text": lambda path, kept: path.write_text('{"timings_s": [1], "provenance": {"raters": [{"id": 3}]}}'),
    "a folder": lambda path, kept: path.mkdir(),
    "a pipe": lambda path, kept: os.mkfifo(path),
    "gone": lambda path, kept: None,
}


def test_a_report_needs_nothing_but_the_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Personas of files that are gone, no study.yaml, no run.json: the same figures."""
    persona = Path("src/holdfast/personas/library/jun_park.yaml").read_text(encoding="utf-8")
    (tmp_path / "own.yaml").write_text(persona.replace("id: jun_park", "id: jun_own"), encoding="utf-8")
    out = record_run(tmp_path / "run", personas={"files": (str(tmp_path / "own.yaml"),)})
    for name in ("own.yaml", "run/study.yaml"):
        (tmp_path / name).unlink()
    (out / "run.json").unlink(missing_ok=True)
    assert run_command(["report", str(out), "-q"]) == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["episodes"] == 2
    assert results["raters"][0]["id"] == "linear"
    assert results["provenance"]["inputs"]
    assert run_command(["status", str(out)]) == 0


def test_a_link_in_a_journals_place_is_not_written_through(out: Path, tmp_path: Path) -> None:
    for name in ("journal.sqlite", "journal.lock", "journal.sqlite-wal"):
        victim = tmp_path / f"victim-{name}"
        shutil.copy(out / "journal.sqlite", victim)
        mine = out / name
        if mine.exists():
            mine.rename(tmp_path / "aside")
        mine.symlink_to(victim)
        with pytest.raises(JournalError, match="is a link, and nothing is written through it"):
            Journal.resume(out / "journal.sqlite")
        mine.unlink()
        if (tmp_path / "aside").exists():
            (tmp_path / "aside").rename(mine)
        assert victim.read_bytes() == (out / "journal.sqlite").read_bytes()


def test_a_number_that_another_process_has_now_is_no_running_run() -> None:
    def beat(started: str | None) -> Heartbeat:
        return Heartbeat(os.getpid(), socket.gethostname(), 0.0, 0.0, 0, 0, started=started)

    now = process_start(os.getpid())
    assert now is not None
    assert beat(now).alive()
    assert beat(f"{now}1").alive() is False
    assert beat(None).alive()  # of an older version, which did not say


def test_a_digest_costs_little(whole: Path) -> None:
    row = turn_row(read_episodes(whole / "journal.sqlite")[0].turns[0])
    began = time.perf_counter()
    for _ in range(1000):
        row_digest(*row)
    assert time.perf_counter() - began < 0.1  # 100 µs each on a busy machine; 10 µs on an idle one


def test_a_conversation_and_its_turns_are_missed(out: Path) -> None:
    sql(out, "DELETE FROM turns WHERE episode = (SELECT id FROM episodes WHERE place = 6)")
    sql(out, "DELETE FROM episodes WHERE place = 6")
    with pytest.raises(JournalError, match="5 conversations are there, of 6 that were planned"):
        read_episodes(out / "journal.sqlite")
