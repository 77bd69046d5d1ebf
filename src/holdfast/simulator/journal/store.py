"""The single source of truth of a run: an append-only SQLite file to which every finished turn is committed at once.

In WAL mode with ``synchronous=NORMAL`` a commit survives the death of the process (SIGKILL included), because the
operating system has it by then; a power cut may lose the last moments, never the file. It may be read while a run
writes.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from holdfast.agents.raters.protocol import Rating, primary_of
from holdfast.core.errors import InputError, JournalError
from holdfast.core.text import encodable
from holdfast.simulator.journal.file import check, connect_to_read, connect_to_write, sqlite_errors, write_empty
from holdfast.simulator.journal.locking import LOCK, WriterLock
from holdfast.simulator.journal.rows import (
    MEASURED_STATE,
    MEASURED_THOUGHTS,
    TURN_COLUMNS,
    json_spec,
    ratings_of,
    row_turn,
    spec_json,
    turn_row,
)
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord

JOURNAL = "journal.sqlite"  # its name in a run folder

_COLUMNS = ", ".join(TURN_COLUMNS)
_STATE = ", ".join(f"'{field}', json_extract(state, '$.{field}')" for field in MEASURED_STATE)
_MEASURED = _COLUMNS.replace("state", f"json_object({_STATE}) AS state").replace(
    "thoughts", f"substr(thoughts, 1, {MEASURED_THOUGHTS}) AS thoughts"
)
_INSERT_TURN = f"INSERT INTO turns ({_COLUMNS}) VALUES ({', '.join('?' * len(TURN_COLUMNS))})"


class TurnCounts(NamedTuple):
    """``turns`` finished, episodes ``ended`` well, episodes ``failed``."""

    turns: int
    ended: int
    failed: int


class PlannedEpisode(NamedTuple):
    """The number of ``episodes`` in the study, and ``turns_owed``: turns that unfinished ones lack at most."""

    episodes: int
    turns_owed: int


class Journal:
    """An open journal: :meth:`create` or :meth:`resume` to write, :meth:`read` to read; a context manager.

    Every method raises :class:`~holdfast.core.errors.JournalError` where the file cannot be read or written, and an
    InputError where there is none to open.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: WriterLock | None) -> None:
        self.path = path
        self._db = connection
        self._lock = lock

    # --- opening ---------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, meta: Mapping[str, str], held: WriterLock | None = None) -> Journal:
        """Create a journal with the key-value pairs ``meta``. ``held``: the folder's lock, where the caller has it.

        Raises:
            JournalError: one exists already.
        """
        with _locked(path, held) as lock:
            if os.path.lexists(path):
                raise JournalError(f"{path}: a journal is already here; go on with --resume, or choose another --out")
            write_empty(path, meta)
            return cls(path, connect_to_write(path), lock)

    @classmethod
    def resume(cls, path: Path, held: WriterLock | None = None) -> Journal:
        """Open an existing journal to continue writing. ``held``: as :meth:`create` takes it."""
        _require_file(path)
        with _locked(path, held) as lock:
            check(path, thorough=True)
            return cls(path, connect_to_write(path), lock)

    @classmethod
    def read(cls, path: Path) -> Journal:
        """Open an existing journal read-only, as one snapshot, whatever a run writes to it meanwhile.

        The writer's file cannot be compacted while a snapshot is open, so repeated readers should reopen it each time.
        """
        _require_file(path)
        check(path, thorough=False)
        connection = connect_to_read(path)
        with sqlite_errors(path):
            connection.execute("BEGIN")
        return cls(path, connection, None)

    # --- writing ---------------------------------------------------------------------------------------------------

    def plan(self, specs: Iterable[EpisodeSpec]) -> None:
        """Add the episodes of the study; existing ones are unchanged."""
        with self._transaction():
            rows = ((spec.id, spec_json(spec)) for spec in specs)
            self._db.executemany("INSERT OR IGNORE INTO episodes (id, spec) VALUES (?, ?)", rows)

    def append(self, record: TurnRecord) -> None:
        """Commit one finished turn; a stop reason on it ends its episode in the same commit."""
        if record.stop is None:
            with sqlite_errors(self.path):
                self._db.execute(_INSERT_TURN, turn_row(record))  # a statement of its own is its own commit
            return
        with self._transaction():
            self._db.execute(_INSERT_TURN, turn_row(record))
            end = "UPDATE episodes SET ended = 1, stop = ?, error = NULL WHERE id = ?"
            self._db.execute(end, (record.stop, record.episode_id))

    def remember(self, key: str, value: str) -> None:
        """Set a key of the metadata."""
        with sqlite_errors(self.path):
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def fail(self, episode_id: str, error: str) -> None:
        """Record why an episode failed; its finished turns are kept."""
        with sqlite_errors(self.path):
            self._db.execute("UPDATE episodes SET ended = 1, error = ? WHERE id = ?", (encodable(error), episode_id))

    def owe_failed(self) -> int:
        """Mark failed episodes as unfinished, to continue after their last finished turn; return how many.

        Only those of the last round that has begun: later rounds already build on earlier failures.
        """
        of_round = "json_extract(spec, '$.round')"
        begun = f"SELECT max({of_round}) FROM episodes WHERE ended OR id IN (SELECT episode FROM turns)"
        update = f"UPDATE episodes SET ended = 0, error = NULL WHERE error IS NOT NULL AND {of_round} = ({begun})"
        with sqlite_errors(self.path):
            return self._db.execute(update).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit the block as a whole, or roll it back."""
        with sqlite_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    # --- reading ---------------------------------------------------------------------------------------------------

    def meta(self) -> dict[str, str]:
        """Return the metadata of :meth:`create` and :meth:`remember`."""
        with sqlite_errors(self.path):
            return dict(self._db.execute("SELECT key, value FROM meta"))

    def ended(self) -> set[str]:
        """Return the ids of the episodes that need no more turns, the failed ones included."""
        with sqlite_errors(self.path):
            return {episode for (episode,) in self._db.execute("SELECT id FROM episodes WHERE ended")}

    def count(self) -> TurnCounts:
        """Count turns and episodes."""
        turns = "SELECT count(*) FROM turns"
        episodes = "SELECT coalesce(sum(ended AND error IS NULL), 0), count(error) FROM episodes"
        with sqlite_errors(self.path):
            return TurnCounts(*self._db.execute(turns).fetchone(), *self._db.execute(episodes).fetchone())

    def planned(self) -> PlannedEpisode:
        """Count the episodes of the study, and the turns that they lack."""
        there = "(SELECT count(*) FROM turns WHERE episode = id)"
        owed = f"CASE WHEN ended THEN 0 ELSE json_extract(spec, '$.max_turns') - {there} END"
        with sqlite_errors(self.path):
            query = f"SELECT count(*), coalesce(sum({owed}), 0) FROM episodes"
            return PlannedEpisode(*self._db.execute(query).fetchone())

    def causes(self) -> list[str]:
        """Return the error of each failed episode."""
        with sqlite_errors(self.path):
            return [cause for (cause,) in self._db.execute("SELECT error FROM episodes WHERE error IS NOT NULL")]

    def ratings(self, after: int = 0) -> Iterator[tuple[int, str, str, Rating]]:
        """Yield (row id, candidate, task, primary rating) of each turn after the row ``after``, in order."""
        fields = "json_extract(spec, '$.candidate'), json_extract(spec, '$.task'), ratings"
        query = f"SELECT turns.rowid, {fields} FROM turns JOIN episodes ON id = episode WHERE turns.rowid > ?"
        with sqlite_errors(self.path):
            for place, candidate, task, ratings in self._db.execute(f"{query} ORDER BY turns.rowid", (after,)):
                yield place, candidate, task, primary_of(ratings_of(ratings))

    def tokens(self) -> int:
        """Return the prompt and completion tokens of all finished turns."""
        with sqlite_errors(self.path):
            query = "SELECT coalesce(sum(prompt_tokens + completion_tokens), 0) FROM turns"
            (count,) = self._db.execute(query).fetchone()
        return int(count)

    def turns_of_ended(self) -> int:
        """Count the turns of the episodes that need no more."""
        query = "SELECT count(*) FROM turns JOIN episodes ON id = episode WHERE ended"
        with sqlite_errors(self.path):
            (count,) = self._db.execute(query).fetchone()
        return int(count)

    def ids(self) -> set[str]:
        """Return the ids of all episodes of the study."""
        with sqlite_errors(self.path):
            return {episode for (episode,) in self._db.execute("SELECT id FROM episodes")}

    def turn(self, episode_id: str, number: int) -> TurnRecord | None:
        """Return one finished turn; None where it is absent."""
        query = f"SELECT {_COLUMNS} FROM turns WHERE episode = ? AND turn = ?"
        with sqlite_errors(self.path):
            row = self._db.execute(query, (episode_id, number)).fetchone()
            return None if row is None else row_turn(row)

    def turns(self, episode_id: str, *, measured: bool = False) -> tuple[TurnRecord, ...]:
        """Return the finished turns of one episode, in order; ``measured``: without what only a resume needs."""
        query = f"SELECT {_MEASURED if measured else _COLUMNS} FROM turns WHERE episode = ? ORDER BY turn"
        with sqlite_errors(self.path), closing(self._db.execute(query, (episode_id,))) as rows:
            turns = tuple(row_turn(row) for row in rows)
        if not (measured and turns):
            return turns
        last = self.turn(episode_id, turns[-1].turn)
        return turns if last is None else (*turns[:-1], last)

    def episodes(self, round: int | None = None, *, measured: bool = False) -> Iterator[EpisodeRecord]:
        """Yield all episodes with their turns, in the study's order; of one round where it is given.

        ``measured``: only the last state of a user is complete, others hold what measurement reads, and thoughts are
        cut short: a third of the memory.
        """
        with sqlite_errors(self.path):
            rows = self._db.execute("SELECT spec, error FROM episodes ORDER BY place").fetchall()
            specs = [(json_spec(text), error) for text, error in rows]
        for spec, error in specs:
            if round is None or spec.round == round:
                yield EpisodeRecord(spec, self.turns(spec.id, measured=measured), error)

    # --- closing ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the file and release the lock."""
        with sqlite_errors(self.path):
            self._db.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_episodes(path: Path) -> list[EpisodeRecord]:
    """Return every episode of a journal."""
    with Journal.read(path) as journal:
        return list(journal.episodes())


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise InputError(
            f"{path}: there is no journal here; start a run with holdfast run STUDY.yaml --out {path.parent}"
        )


@contextmanager
def _locked(path: Path, held: WriterLock | None) -> Iterator[WriterLock | None]:
    """Take the lock beside ``path`` for the journal to release, unless it is ``held``; a failure releases it."""
    lock = WriterLock(path.with_name(LOCK)) if held is None else None
    try:
        yield lock
    except BaseException:
        if lock is not None:
            lock.release()
        raise
