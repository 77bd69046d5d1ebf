"""The one source of truth of a run: an append-only SQLite file to which every finished turn is committed at once.

In WAL mode with ``synchronous=NORMAL`` a commit survives the death of the process (SIGKILL included), because it is
with the operating system by then; a power cut may lose the last moments, never the file. Readers may look on while a
run writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from holdfast.agents.raters.protocol import Rating, primary_of
from holdfast.core.errors import InputError, JournalError
from holdfast.simulator.journal.file import check, clear, connect_to_read, connect_to_write, write_empty
from holdfast.simulator.journal.locking import WriterLock
from holdfast.simulator.journal.rows import MEASURED_STATE, TURN_COLUMNS, json_spec, ratings_of, row_turn, spec_json, turn_row
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord

_COLUMNS = ", ".join(TURN_COLUMNS)
_STATE = ", ".join(f"'{field}', json_extract(state, '$.{field}')" for field in MEASURED_STATE)
_MEASURED = _COLUMNS.replace("state", f"json_object({_STATE}) AS state")
_INSERT_TURN = f"INSERT INTO turns ({_COLUMNS}) VALUES ({', '.join('?' * len(TURN_COLUMNS))})"


class TurnCounts(NamedTuple):
    """``turns`` finished, episodes ``ended`` well, episodes ``failed``."""

    turns: int
    ended: int
    failed: int


class PlannedEpisode(NamedTuple):
    """``episodes`` that the study asks for; ``turns_owed``: turns at most that those not yet ended still lack."""

    episodes: int
    turns_owed: int


class Journal:
    """An open journal. ``with Journal.create(...)`` or ``Journal.resume(...)`` to write, ``Journal.read(...)`` to look.

    Every method raises :class:`~holdfast.core.errors.JournalError` where the file cannot be read or written; an InputError
    where there is none to open.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: WriterLock | None) -> None:
        self.path = path
        self._db = connection
        self._lock = lock

    # --- opening ---------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, meta: Mapping[str, str]) -> Journal:
        """A new journal that remembers ``meta``. Refuses where one exists."""
        lock = _lock(path)
        if path.exists():
            lock.release()
            raise JournalError(f"{path}: a journal is already here; go on with --resume, or choose another --out")
        with _releasing(lock):
            write_empty(path, meta)
            return cls(path, connect_to_write(path), lock)

    @classmethod
    def resume(cls, path: Path) -> Journal:
        """An existing journal, to go on writing."""
        _must_exist(path)
        lock = _lock(path)
        with _releasing(lock):
            check(path, thorough=True)
            return cls(path, connect_to_write(path), lock)

    @classmethod
    def read(cls, path: Path) -> Journal:
        """An existing journal as it stands at the first reading, whatever a run writes to it until this one is closed.

        The writer's file cannot be tidied as long as one is open, so who looks again and again opens it anew.
        """
        _must_exist(path)
        check(path, thorough=False)
        connection = connect_to_read(path)
        with clear(path):
            connection.execute("BEGIN")
        return cls(path, connection, None)

    # --- writing ---------------------------------------------------------------------------------------------------

    def plan(self, specs: Iterable[EpisodeSpec]) -> None:
        """Enter the episodes that the study asks for; those already entered stay as they are."""
        with self._transaction():
            rows = ((spec.id, spec_json(spec)) for spec in specs)
            self._db.executemany("INSERT OR IGNORE INTO episodes (id, spec) VALUES (?, ?)", rows)

    def append(self, record: TurnRecord) -> None:
        """Commit one finished turn; a stop reason on it ends its episode in the same commit."""
        if record.stop is None:
            with clear(self.path):
                self._db.execute(_INSERT_TURN, turn_row(record))  # a statement of its own is its own commit
            return
        with self._transaction():
            self._db.execute(_INSERT_TURN, turn_row(record))
            end = "UPDATE episodes SET ended = 1, stop = ?, error = NULL WHERE id = ?"
            self._db.execute(end, (record.stop, record.episode_id))

    def remember(self, key: str, value: str) -> None:
        """Add to the meta, or replace there."""
        with clear(self.path):
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def fail(self, episode_id: str, error: str) -> None:
        """Record why an episode could not go on; its turns so far stay."""
        with clear(self.path):
            self._db.execute("UPDATE episodes SET ended = 1, error = ? WHERE id = ?", (error, episode_id))

    def owe_failed(self) -> int:
        """Count failed episodes as owed again (they go on after their last finished turn); says how many.

        Only those of the last round that has begun: what failed before it is part of what later rounds grew from.
        """
        of_round = "json_extract(spec, '$.round')"
        begun = f"SELECT max({of_round}) FROM episodes WHERE ended OR id IN (SELECT episode FROM turns)"
        update = f"UPDATE episodes SET ended = 0, error = NULL WHERE error IS NOT NULL AND {of_round} = ({begun})"
        with clear(self.path):
            return self._db.execute(update).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, on disk when the block ends."""
        with clear(self.path):
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
        """What :meth:`create` and :meth:`remember` were told."""
        with clear(self.path):
            return dict(self._db.execute("SELECT key, value FROM meta"))

    def ended(self) -> set[str]:
        """Ids of the episodes that need no more turns, the failed ones included."""
        with clear(self.path):
            return {episode for (episode,) in self._db.execute("SELECT id FROM episodes WHERE ended")}

    def count(self) -> TurnCounts:
        """How much there is."""
        turns = "SELECT count(*) FROM turns"
        episodes = "SELECT coalesce(sum(ended AND error IS NULL), 0), count(error) FROM episodes"
        with clear(self.path):
            return TurnCounts(*self._db.execute(turns).fetchone(), *self._db.execute(episodes).fetchone())

    def planned(self) -> PlannedEpisode:
        """What the study asks for."""
        there = "(SELECT count(*) FROM turns WHERE episode = id)"
        owed = f"CASE WHEN ended THEN 0 ELSE json_extract(spec, '$.max_turns') - {there} END"
        with clear(self.path):
            query = f"SELECT count(*), coalesce(sum({owed}), 0) FROM episodes"
            return PlannedEpisode(*self._db.execute(query).fetchone())

    def causes(self) -> list[str]:
        """Why episodes failed, one cause for each that did."""
        with clear(self.path):
            return [cause for (cause,) in self._db.execute("SELECT error FROM episodes WHERE error IS NOT NULL")]

    def ratings(self, after: int = 0) -> Iterator[tuple[int, str, str, Rating]]:
        """Place, candidate, task and the primary rating of each turn, in the order of finishing, behind a place."""
        fields = "json_extract(spec, '$.candidate'), json_extract(spec, '$.task'), ratings"
        query = f"SELECT turns.rowid, {fields} FROM turns JOIN episodes ON id = episode WHERE turns.rowid > ?"
        with clear(self.path):
            for place, candidate, task, ratings in self._db.execute(f"{query} ORDER BY turns.rowid", (after,)):
                yield place, candidate, task, primary_of(ratings_of(ratings))

    def tokens(self) -> int:
        """Prompt and completion tokens of all finished turns."""
        with clear(self.path):
            query = "SELECT coalesce(sum(prompt_tokens + completion_tokens), 0) FROM turns"
            (count,) = self._db.execute(query).fetchone()
        return int(count)

    def turns_of_ended(self) -> int:
        """Turns of the episodes that need no more."""
        query = "SELECT count(*) FROM turns JOIN episodes ON id = episode WHERE ended"
        with clear(self.path):
            (count,) = self._db.execute(query).fetchone()
        return int(count)

    def ids(self) -> set[str]:
        """Ids of all episodes that the study asks for."""
        with clear(self.path):
            return {episode for (episode,) in self._db.execute("SELECT id FROM episodes")}

    def turn(self, episode_id: str, number: int) -> TurnRecord | None:
        """One finished turn; None where it is not there."""
        query = f"SELECT {_COLUMNS} FROM turns WHERE episode = ? AND turn = ?"
        with clear(self.path):
            row = self._db.execute(query, (episode_id, number)).fetchone()
            return None if row is None else row_turn(row)

    def turns(self, episode_id: str, *, measured: bool = False) -> tuple[TurnRecord, ...]:
        """The finished turns of one episode, in order; where ``measured``, without what only a resume needs."""
        query = f"SELECT {_MEASURED if measured else _COLUMNS} FROM turns WHERE episode = ? ORDER BY turn"
        with clear(self.path), closing(self._db.execute(query, (episode_id,))) as rows:
            turns = tuple(row_turn(row) for row in rows)
        if not (measured and turns):
            return turns
        last = self.turn(episode_id, turns[-1].turn)
        return turns if last is None else (*turns[:-1], last)

    def episodes(self, round: int | None = None, *, measured: bool = False) -> Iterator[EpisodeRecord]:
        """All episodes in the study's order with the turns they have; of one round where it is given.

        ``measured``: of a user's states only the last, and of the others what measurement reads, which takes a third of
        the memory.
        """
        with clear(self.path):
            rows = self._db.execute("SELECT spec, error FROM episodes ORDER BY place").fetchall()
            specs = [(json_spec(text), error) for text, error in rows]
        for spec, error in specs:
            if round is None or spec.round == round:
                yield EpisodeRecord(spec, self.turns(spec.id, measured=measured), error)

    # --- closing ---------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the file and let the lock go."""
        with clear(self.path):
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
    """Every episode of a journal, for measurement and report."""
    with Journal.read(path) as journal:
        return list(journal.episodes())


def _lock(path: Path) -> WriterLock:
    return WriterLock(path.with_suffix(".lock"))


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise InputError(
            f"{path}: there is no journal here; start a run with holdfast run STUDY.yaml --out {path.parent}"
        )


@contextmanager
def _releasing(lock: WriterLock) -> Iterator[None]:
    """Let the lock go where opening fails."""
    try:
        yield
    except BaseException:
        lock.release()
        raise
