"""Run folders that were damaged, or are not what they seem; and figures that two ways of reckoning must agree on."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from holdfast.core.errors import HoldfastError, JournalError
from holdfast.simulator.journal.store import Journal, read_episodes
from holdfast.simulator.measure.decay.mixed_slope import mixed_slope
from holdfast.simulator.measure.decay.slope import episode_slopes
from holdfast.simulator.monitor.heartbeat import Heartbeat, process_start
from tests.campaign.tries import Scene, command, draw, equal, holds, same_figure
from tests.simulator.journal.test_damage import ALTERED, SPOILT, sql
from tests.simulator.recorded import record_run


@cache
def whole() -> Path:
    """A run folder, to be copied."""
    return record_run(Path(mkdtemp(prefix="holdfast-campaign-")) / "run")


def copied(scene: Scene) -> Path:
    shutil.copytree(whole(), scene.folder / "run")
    return scene.folder / "run"


def flipped(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 5, 100))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def cut_off(path: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(len(data))])


def zeroed(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data))
    data[at : at + 4096] = bytes(len(data[at : at + 4096]))
    path.write_bytes(data)


def turn_lost(path: Path, rng: random.Random) -> None:
    number = rng.randint(1, 36)
    sql(path.parent, f"DELETE FROM turns WHERE rowid = (SELECT rowid FROM turns LIMIT 1 OFFSET {number - 1})")


DAMAGES: dict[str, Callable[[Path, random.Random], object]] = {
    "flipped bits": flipped, "cut off": cut_off, "zeroed page": zeroed, "deleted turn": turn_lost,
    "altered": lambda path, rng: sql(path.parent, rng.choice([statement for statement, _ in ALTERED.values()])),
}  # fmt: skip


def damaged_journal(scene: Scene) -> str:
    """Either every turn is read as it was, or one error says what is wrong, to every reader; no figure is made."""
    rng, out = scene.rng, copied(scene)
    before = read_episodes(whole() / "journal.sqlite")
    name, damage = draw(rng, DAMAGES)
    damage(out / "journal.sqlite", rng)
    for file in ("results.json", "report.html"):
        (out / file).unlink(missing_ok=True)
    try:
        equal(read_episodes(out / "journal.sqlite"), before, f"{name}: the turns")
        sound = True
    except HoldfastError as error:
        holds("journal" in str(error), f"{name}: {error}")
        sound = False
    holds(not sound or name not in ("deleted turn", "altered"), f"{name} went unnoticed")
    done = command("report", out, "-q").expect(*((0,) if sound else (1, 2)))
    holds(sound or done.err.strip(), "no cause on standard error")
    equal((out / "results.json").exists(), sound, f"{name}: figures")
    command("export", out, "--to", "jsonl", "--out", scene.folder / "rows.jsonl").expect(*((0,) if sound else (1, 2)))
    command("status", out).expect(0, 1, 2)
    command("measure", out, "-q").expect(*((0,) if sound else (0, 1, 2)))
    return f"{name}: {'unharmed' if sound else 'told'}"


COMMANDS = ("status", "report", "power", "serve-hint", "measure", "export")


def foreign_folder(scene: Scene) -> str:
    """Links, pipes, folders and noise in the place of a run's files: an exit code and a line, at once."""
    rng, out = scene.rng, copied(scene)
    victim = scene.folder / "victim"
    victim.write_text("mine")
    name = rng.choice(
        ("journal.sqlite", "run.json", "study.yaml", "results.json", "journal.lock", "journal.sqlite-wal")
    )
    path = out / name
    kept = path.read_bytes() if path.exists() else b"{}"
    path.unlink(missing_ok=True)
    kind = rng.choice([*SPOILT, "a link", "a link to itself", "a socket"])
    if kind == "a link":
        path.symlink_to(victim)
    elif kind == "a link to itself":
        path.symlink_to(path)
    elif kind == "a socket":
        os.chdir(out)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(name)
    else:
        SPOILT[kind](path, kept)
    began = time.monotonic()
    for word in rng.sample(COMMANDS, 3):
        more = ["--out", str(scene.folder / "rows.jsonl"), "--to", "jsonl"] if word == "export" else []
        done = command(word, out, *more).expect(0, 1, 2)
        holds(done.code == 0 or done.err.strip(), f"{word} with {kind} as {name}: no word")
    holds(time.monotonic() - began < 20, f"{kind} as {name}: {time.monotonic() - began:.0f} s")
    equal(victim.read_text(), "mine", f"{kind} as {name}: another file")
    return kind


def other_process(scene: Scene) -> str:
    """A number that another process has now is no running run, and a lock of the dead holds nobody back."""
    rng, out = scene.rng, copied(scene)
    started = process_start(os.getpid())
    own = rng.random() < 0.5
    beat = Heartbeat(os.getpid(), socket.gethostname(), 0.0, 0.0, 0, 0, started=started if own else f"{started}1")
    equal(bool(beat.alive()), own, "whether the run goes on")
    (out / "journal.lock").write_text(f"process {rng.choice((os.getpid(), 1, 10**9))}")
    with Journal.resume(out / "journal.sqlite") as journal:
        equal(journal.count().turns, 36, "turns")
        try:
            with Journal.resume(out / "journal.sqlite"):
                holds(False, "two writers in one folder")
        except JournalError as error:
            holds("another run is writing here" in str(error), f"the cause: {error}")
    return "own" if own else "another's"


def torn_write(scene: Scene) -> str:
    """What SQLite left half written when the machine stopped costs at most the turn that was being written."""
    rng, out = scene.rng, copied(scene)
    db = sqlite3.connect(out / "journal.sqlite", isolation_level=None)
    db.execute("PRAGMA wal_autocheckpoint=0")
    db.execute("BEGIN")
    db.execute("INSERT OR REPLACE INTO meta SELECT * FROM meta")
    db.execute("COMMIT")
    shutil.copytree(out, scene.folder / "torn")
    db.close()
    wal = scene.folder / "torn" / "journal.sqlite-wal"
    if wal.exists():
        data = wal.read_bytes()
        wal.write_bytes(data[: rng.randrange(len(data) + 1)])
    (scene.folder / "torn" / "journal.sqlite-shm").unlink(missing_ok=True)
    before = read_episodes(whole() / "journal.sqlite")
    equal(read_episodes(scene.folder / "torn" / "journal.sqlite"), before, "turns")
    command("report", scene.folder / "torn", "-q").expect(0)
    figures = json.loads((scene.folder / "torn" / "results.json").read_text(encoding="utf-8"))
    equal((figures["episodes"], figures["unfinished_episodes"]), (6, 0), "conversations, unfinished ones")
    return "whole"


def slopes(scene: Scene) -> str:
    """Two ways to a slope agree: by conversation and by mixed model where all have equal turns; a line by hand too."""
    rng = scene.rng
    draws = np.random.default_rng(rng.randrange(1 << 32))
    episodes, turns = rng.randint(4, 20), rng.randint(4, 24)
    slope, spread = rng.uniform(-0.02, 0.02), rng.choice((0.0, 0.05))
    own = draws.normal(0, 0.1, episodes)[:, None] + draws.normal(0, 0.01, episodes)[:, None] * np.arange(turns)
    values = 0.7 + slope * np.arange(turns) + own * (spread > 0) + draws.normal(0, 1, (episodes, turns)) * spread
    ragged = spread > 0 and rng.random() < 0.3
    by_episode = episode_slopes(values)
    for row, found in zip(values, by_episode, strict=True):
        by_hand = float(np.polyfit(np.arange(turns), row, 1)[0])
        holds(same_figure(found, by_hand), f"slope {found}, by hand {by_hand}")
    names = [str(n) for n in range(episodes)]
    mixed = mixed_slope(values, names).mean
    holds(mixed is not None and abs(mixed - by_episode.mean()) < 1e-6, f"mixed {mixed}, mean {by_episode.mean()}")
    if ragged:
        values[draws.random(values.shape) < 0.2] = np.nan
        within = mixed_slope(values, names)
        holds(within.mean is not None and abs(within.mean - slope) < 0.05, f"mixed {within.mean}, true {slope}")
    return "ragged" if ragged else "balanced"
