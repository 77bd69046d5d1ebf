"""The single source of truth of a run: an append-only SQLite file to which every finished turn is committed at once.

In WAL mode with ``synchronous=NORMAL`` a commit survives the death of the process (SIGKILL included), because the
operating system has it by then; a power cut may lose the last moments, never the file. It may be read while a run
writes.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from holdfast.agents.raters.protocol import Rating, primary_of
from holdfast.core.errors import InputError, TakenError
from holdfast.core.text import encodable
from holdfast.core.wording import printable
from holdfast.simulator.journal.counts import JournalCounts
from holdfast.simulator.journal.digests import DIGESTED, row_digest, sql_digest, turn_digest
from holdfast.simulator.journal.file import (
    DIGESTS_SINCE,
    check,
    connect_to_read,
    connect_to_write,
    sqlite_errors,
    version_of,
    write_empty,
)
from holdfast.simulator.journal.locking import LOCK, WriterLock
from holdfast.simulator.journal.rows import (
    TURN_COLUMNS,
    json_spec,
    only_measured,
    ratings_of,
    row_turn,
    spec_json,
    turn_row,
)
from holdfast.simulator.journal.verify import PLANNED, check_count, check_end, check_places, check_turns, intact
from holdfast.simulator.records import EpisodeRecord, EpisodeSpec, TurnRecord

JOURNAL = "journal.sqlite"  # its name in a run folder

_TURN = ", ".join((*TURN_COLUMNS, "digest"))
_EPISODE = ", ".join((*DIGESTED["episodes"], "digest"))
_INSERT_TURN = f"INSERT INTO turns ({_TURN}) VALUES ({', '.join('?' * (len(TURN_COLUMNS) + 1))})"
_SEAL = f"UPDATE episodes SET digest = {sql_digest('episodes')}"


class Journal(JournalCounts):
    """An open journal: :meth:`create` or :meth:`resume` to write, :meth:`read` to read; a context manager.

    Every method raises :class:`~holdfast.core.errors.JournalError` where the file cannot be read or written, and an
    InputError where there is none to open. ``version``: of the file, which is today's once it is open to write.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: WriterLock | None) -> None:
        self.path = path
        self._db = connection
        self._lock = lock
        with sqlite_errors(path):
            self.version = version_of(connection)

    # --- opening ---------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, meta: Mapping[str, str], folder_lock: WriterLock | None = None) -> Journal:
        """Create a journal with the key-value pairs ``meta``. ``folder_lock``: the folder's lock, if the caller has it.

        Raises:
            TakenError: one exists already.
        """
        with _locked(path, folder_lock) as lock:
            if os.path.lexists(path):
                raise TakenError(f"{path}: a journal is already here; go on with --resume, or choose another --out")
            write_empty(path, meta)
            return cls(path, connect_to_write(path), lock)

    @classmethod
    def resume(
        cls, path: Path, folder_lock: WriterLock | None = None, accept: Callable[[Journal], None] | None = None
    ) -> Journal:
        """Open an existing journal to continue writing. One that is refused, an older one too, stays as it is.

        Args:
            path: The journal.
            folder_lock: As :meth:`create` takes it.
            accept: Looks at it, open to read, before anything is written, and raises where it is not to be written.
        """
        _require_file(path)
        with _locked(path, folder_lock) as lock:
            check(path, thorough=True)
            with cls.read(path) as journal:
                for _ in journal.episodes(measured=True):
                    pass  # reading checks every row
                if accept is not None:
                    accept(journal)
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
            self._db.execute(f"{_SEAL} WHERE digest IS NULL")
            (count,) = self._db.execute("SELECT count(*) FROM episodes").fetchone()
            self._remember(PLANNED, str(count))

    def append(self, record: TurnRecord) -> None:
        """Commit one finished turn; a stop reason on it ends its episode in the same commit."""
        with sqlite_errors(self.path):
            values = turn_row(record)
            row = (*values, turn_digest(*values))
        if record.stop is None:
            with sqlite_errors(self.path):
                self._db.execute(_INSERT_TURN, row)  # a statement of its own is its own commit
            return
        with self._transaction():
            self._db.execute(_INSERT_TURN, row)
            end = "UPDATE episodes SET ended = 1, stop = ?, error = NULL WHERE id = ?"
            self._db.execute(end, (record.stop, record.episode_id))
            self._db.execute(f"{_SEAL} WHERE id = ?", (record.episode_id,))

    def remember(self, key: str, value: str) -> None:
        """Set a key of the metadata."""
        with sqlite_errors(self.path):
            self._remember(key, value)

    def _remember(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (key, value, row_digest(key, value)))

    def fail(self, episode_id: str, error: str) -> None:
        """Record why an episode failed; its finished turns are kept."""
        with self._transaction():
            self._db.execute("UPDATE episodes SET ended = 1, error = ? WHERE id = ?", (encodable(error), episode_id))
            self._db.execute(f"{_SEAL} WHERE id = ?", (episode_id,))

    def owe_failed(self) -> int:
        """Mark failed episodes as unfinished, to continue after their last finished turn; return how many.

        Only those of the last round that has begun: later rounds already build on earlier failures.
        """
        of_round = "json_extract(spec, '$.round')"
        begun = f"SELECT max({of_round}) FROM episodes WHERE ended OR id IN (SELECT episode FROM turns)"
        update = f"UPDATE episodes SET ended = 0, error = NULL WHERE error IS NOT NULL AND {of_round} = ({begun})"
        with self._transaction():
            changed = self._db.execute(update).rowcount
            self._db.execute(_SEAL)
        return changed

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
            return dict(self._intact("meta", row) for row in self._db.execute("SELECT key, value, digest FROM meta"))

    def ratings(self, after: int = 0) -> Iterator[tuple[int, str, str, Rating]]:
        """Yield (row id, candidate, task, primary rating) of each turn after the row ``after``, in order."""
        fields = "json_extract(spec, '$.candidate'), json_extract(spec, '$.task'), ratings"
        query = f"SELECT turns.rowid, {fields} FROM turns JOIN episodes ON id = episode WHERE turns.rowid > ?"
        with sqlite_errors(self.path):
            for place, candidate, task, ratings in self._db.execute(f"{query} ORDER BY turns.rowid", (after,)):
                yield place, candidate, task, primary_of(ratings_of(ratings))

    def turn(self, episode_id: str, number: int) -> TurnRecord | None:
        """Return one finished turn; None where it is absent."""
        query = f"SELECT {_TURN} FROM turns WHERE episode = ? AND turn = ?"
        with sqlite_errors(self.path):
            row = self._db.execute(query, (episode_id, number)).fetchone()
            return None if row is None else row_turn(self._intact("turns", row))

    def turns(self, episode_id: str, *, measured: bool = False) -> tuple[TurnRecord, ...]:
        """Return the finished turns of one episode, in order; ``measured``: without what only a resume needs."""
        query, turns = f"SELECT {_TURN} FROM turns WHERE episode = ? ORDER BY turn", list[TurnRecord]()
        with sqlite_errors(self.path), closing(self._db.execute(query, (episode_id,))) as rows:
            for row in rows:
                if measured and turns:
                    turns[-1] = only_measured(turns[-1])
                turns.append(row_turn(self._intact("turns", row)))
        check_turns(self.path, episode_id, turns)
        return tuple(turns)

    def _intact(self, table: str, row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(intact(self.path, table, row, digests=self.version >= DIGESTS_SINCE))

    def episodes(self, round: int | None = None, *, measured: bool = False) -> Iterator[EpisodeRecord]:
        """Yield all episodes with their turns, in the study's order; of one round where it is given.

        ``measured``: only the last state of a user is complete, others hold what measurement reads, and thoughts are
        cut short: a third of the memory.
        """
        with sqlite_errors(self.path):
            rows = self._db.execute(f"SELECT {_EPISODE} FROM episodes ORDER BY place").fetchall()
            specs = [(json_spec(row[2]), row) for row in (self._intact("episodes", row) for row in rows)]
            orphans = "SELECT episode FROM turns WHERE episode NOT IN (SELECT id FROM episodes) LIMIT 1"
            orphan = self._db.execute(orphans).fetchone()
            places = [place for place, *_ in rows]
            check_places(self.path, self.meta(), places, orphan and str(orphan[0]))
        for spec, row in specs:
            if round is None or spec.round == round:
                turns = self.turns(spec.id, measured=measured)
                check_end(self.path, row, spec, turns)
                yield EpisodeRecord(spec, turns, row[-1])
        with sqlite_errors(self.path):
            check_count(self.path, self.meta(), self.count().turns)

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
        require_folder(path.parent)
        raise InputError(
            f"{path}: there is no journal here; start a run with holdfast run STUDY.yaml --out {path.parent}"
        )


def require_folder(folder: Path) -> None:
    """Raise InputError where a file is given in the place of a run's folder, saying which folder is meant."""
    if not folder.is_file():
        return
    name, meant = printable(str(folder)), folder.parent
    if (meant / JOURNAL).is_file():
        raise InputError(
            f"{name}: is a file of a run, where the run's folder is expected; name {printable(str(meant))}"
        )
    way = "name the folder that a run wrote"
    if folder.suffix in (".yaml", ".yml"):
        way = f"if it is a study, hold it first: holdfast run {name} --out RUN, then name RUN"
    raise InputError(f"{name}: is a file, where a run's folder is expected; {way}")


@contextmanager
def _locked(path: Path, folder_lock: WriterLock | None) -> Iterator[WriterLock | None]:
    """Take the lock beside ``path`` for the journal to release, unless the caller has it; a failure releases it."""
    lock = WriterLock(path.with_name(LOCK)) if folder_lock is None else None
    try:
        yield lock
    except BaseException:
        if lock is not None:
            lock.release()
        raise
