"""Create, open and check the journal's file, with errors that say what to do."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from importlib.resources import files
from pathlib import Path

from holdfast.core.errors import JournalError
from holdfast.simulator.journal.digests import DIGESTED, row_digest, sql_digest

APPLICATION_ID = 0x686F6C64  # "hold": marks the file as ours
SCHEMA_VERSION = 6
OLDEST_READ = 1
DIGESTS_SINCE = 4  # the version whose rows have digests

#: Version -> the columns that it lacks, as SQL reads them from what it has. 1: one rater, whose levels stood in a
#: column of their own, and no goals; 2: replies with their thoughts in them, and no outcomes; 4: a call a reply;
#: 5: what applications did beside a reply among the thoughts.
_LACKS: dict[int, tuple[str, ...]] = {
    1: ("expressed AS ratings", "'[]' AS goals_served"),
    2: ("'' AS thoughts", "CASE WHEN trim(reply) = '' THEN 'empty' ELSE 'answered' END AS outcome"),
    3: ("NULL AS digest",),
    4: ("1 AS calls",),
    5: ("'' AS kept",),
}
#: Version -> how its table becomes the next version's.
_UPGRADES: dict[int, str] = {
    1: """
ALTER TABLE turns RENAME COLUMN expressed TO ratings;
ALTER TABLE turns ADD COLUMN goals_served TEXT NOT NULL DEFAULT '[]';
""",
    2: """
ALTER TABLE turns ADD COLUMN thoughts TEXT NOT NULL DEFAULT '';
ALTER TABLE turns ADD COLUMN outcome TEXT NOT NULL DEFAULT 'answered';
UPDATE turns SET outcome = 'empty' WHERE trim(reply) = '';
""",
    3: "".join(
        f"""
ALTER TABLE {table} ADD COLUMN digest BLOB;
UPDATE {table} SET digest = {sql_digest(table)};
"""
        for table in DIGESTED
    ),
    4: "ALTER TABLE turns ADD COLUMN calls INTEGER NOT NULL DEFAULT 1;",
    5: "ALTER TABLE turns ADD COLUMN kept TEXT NOT NULL DEFAULT '';",
}
_BESIDE = ("-wal", "-shm", "-journal")  # SQLite's files beside a database
_SMALL_FILE = 256 * 1024  # more than SQLite's index of a write-ahead log


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Return an autocommitting connection.

    Where nothing can be written, a journal without a writer is opened as immutable, since SQLite would otherwise create
    a file beside it; likewise one that is a link. Through a link nothing is written.

    Raises:
        JournalError: a link, a pipe or the like lies in the place of a file; or it cannot be opened.
    """
    _refuse_odd_files(path, writing=mode != "ro")
    locked = path.is_symlink() or not _writable(path.parent)
    at_rest = mode == "ro" and not Path(f"{path.resolve()}-wal").exists() and locked
    uri = f"{path.absolute().as_uri()}?mode={mode}{'&immutable=1' if at_rest else ''}"
    with sqlite_errors(path):
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30, check_same_thread=mode != "ro")


def _refuse_odd_files(path: Path, *, writing: bool) -> None:
    """Refuse what SQLite would write through, or wait for: a link, a pipe, a device, a folder."""
    for file in (path, *(Path(f"{path}{end}") for end in _BESIDE)):
        if not os.path.lexists(file):
            continue
        if file.is_symlink() and (writing or file != path):
            raise JournalError(
                f"{file}: is a link, and nothing is written through it; put the file itself there, or choose "
                "another --out"
            )
        if not file.is_file():
            raise JournalError(f"{file}: is a folder, a pipe or a device where a file is expected; remove it")


def _writable(folder: Path) -> bool:
    """Return whether a small file may be created in ``folder``."""
    with suppress(OSError):
        disk = os.statvfs(folder)
        return os.access(folder, os.W_OK) and disk.f_bavail * disk.f_frsize > _SMALL_FILE
    return False


def connect_to_write(path: Path) -> sqlite3.Connection:
    """Connect as :func:`connect` does, to write turns; upgrades an older journal."""
    connection = connect(path, "rw")
    with sqlite_errors(path):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.create_function("row_digest", -1, row_digest, deterministic=True)
        steps = "".join(_UPGRADES[version] for version in range(version_of(connection), SCHEMA_VERSION))
        if steps:
            connection.executescript(f"BEGIN IMMEDIATE;{steps}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Connect as :func:`connect` does, read-only; an older journal is shown in today's schema."""
    connection = connect(path, "ro")
    with sqlite_errors(path):
        version = version_of(connection)
        lacks = [column for older in range(version, SCHEMA_VERSION) for column in _LACKS[older]]
        if lacks:
            connection.executescript(
                "PRAGMA temp_store=MEMORY; CREATE TEMP VIEW turns AS "
                f"SELECT rowid AS rowid, *, {', '.join(lacks)} FROM main.turns;"
            )
        for table in ("meta", "episodes") if version < DIGESTS_SINCE else ():
            connection.executescript(f"CREATE TEMP VIEW {table} AS SELECT *, NULL AS digest FROM main.{table};")
    return connection


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a journal's schema."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def write_empty(path: Path, meta: Mapping[str, str]) -> None:
    """Create the file beside its place and move it there, so that a journal is either absent or complete."""
    draft = path.with_suffix(".new")
    with sqlite_errors(path):
        draft.unlink(missing_ok=True)
        with closing(connect(draft, "rwc")) as db:
            script = (files(__package__) / "schema.sql").read_text(encoding="utf-8")
            marks = f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA_VERSION};"
            db.executescript(f"BEGIN; {script} {marks} COMMIT;")
            db.executemany(
                "INSERT INTO meta VALUES (?, ?, ?)", ((*pair, row_digest(*pair)) for pair in sorted(meta.items()))
            )
        draft.replace(path)


def check(path: Path, *, thorough: bool) -> None:
    """Check that the file is a journal of a known version, and undamaged (where ``thorough``).

    Raises:
        JournalError: it is not.
    """
    with sqlite_errors(path), closing(connect(path, "ro")) as db:
        (application,) = db.execute("PRAGMA application_id").fetchone()
        version = version_of(db)
        if application != APPLICATION_ID:
            raise JournalError(f"{path}: an SQLite file, but not a holdfast journal; choose another --out")
        if not OLDEST_READ <= version <= SCHEMA_VERSION:
            age = "an older" if version < SCHEMA_VERSION else "a newer"
            raise JournalError(
                f"{path}: written by {age} holdfast (journal version {version}, this one reads "
                f"{OLDEST_READ} to {SCHEMA_VERSION}); "
                f"use that holdfast, or choose another --out"
            )
        if thorough:
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise damaged(path, str(verdict))


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors within the block into a JournalError that says what to do."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise JournalError(f"{path}: refused a turn that is already there, or an incomplete one ({error})") from error
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            text = "the disk is full; every finished turn up to here is kept: make room, then go on with --resume"
        elif "readonly" in str(error) or "unable to open" in str(error):
            text = f"the journal cannot be opened so ({error}); check the folder's permissions, or choose another --out"
        elif "locked" in str(error) or "busy" in str(error) or "disk I/O" in str(error):
            text = f"the journal cannot be used ({error}); try again with --resume"
        else:  # no such table or column, malformed JSON, text that is no UTF-8
            raise damaged(path, str(error)) from error
        raise JournalError(f"{path}: {text}") from error
    except OSError as error:
        raise JournalError(f"{path}: the journal cannot be written ({error.strerror})") from error
    except (sqlite3.Error, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise damaged(path, str(error)) from error


def damaged(path: Path, detail: str) -> JournalError:
    """Return the error for a file that cannot be read."""
    return JournalError(
        f"{path}: damaged or not a journal ({detail}); keep a copy, try `sqlite3 {path.name} .recover`, "
        f"or start again in another --out"
    )
