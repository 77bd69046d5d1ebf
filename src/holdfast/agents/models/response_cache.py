"""Cache answers on disk by the hash of their request, so that none is paid for twice. Off by default."""

import hashlib
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from typing import Any

from holdfast.agents.message_content import read_content
from holdfast.agents.models.generations import generation_of
from holdfast.agents.protocols import Generation
from holdfast.core.errors import InputError, ModelError
from holdfast.core.files import open_file

_SQLITE = b"SQLite format 3\0"
_BESIDE = ("-wal", "-journal")
_TABLE = "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID"


class ResponseCache:
    """An SQLite file in WAL mode; several processes may share it. Only complete, valid answers are stored.

    The key hashes the endpoint's URL and the bytes of the request, which include the seed.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            InputError: it cannot be opened, or is something else.
        """
        self.path = path
        self._open()

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(self.path):
                self._refuse_foreign()
            uri = f"{self.path.absolute().as_uri()}?mode=rwc"
            self._db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(_TABLE)
        except (sqlite3.Error, OSError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(f"response cache {self.path}: cannot be opened ({why}); name another file") from error

    def _refuse_foreign(self) -> None:
        """Raise InputError where the file is not a cache of ours; it is only looked at, never altered."""
        with open_file(self.path) as file:
            head = file.read(len(_SQLITE))
        problem = "cannot be opened (file is not a database)" if head and head != _SQLITE else None
        if head and problem is None:
            before = {end for end in _BESIDE if os.path.lexists(f"{self.path}{end}")}
            uri = f"{self.path.absolute().as_uri()}?mode=ro{'' if before else '&immutable=1'}"
            with closing(sqlite3.connect(uri, uri=True, timeout=30)) as db:
                tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
                columns = [row[1] for row in db.execute("PRAGMA table_info(answers)")]
            if tables and (columns[:2] != ["key", "answer"] or not all("answers" in name for name in tables)):
                problem = "is another program's database"
        if problem is not None:
            raise InputError(
                f"response cache {self.path}: {problem}; it is left as it is. Name a new file, or one that an earlier "
                "run wrote"
            )

    @staticmethod
    def key(base_url: str, body: bytes) -> bytes:
        """Return the key of a request."""
        return hashlib.sha256(base_url.encode() + b"\0" + body).digest()

    def get(self, key: bytes) -> Generation | None:
        """Return the cached answer, or None; an unreadable one counts as absent."""
        try:
            row = self._db.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
            return None if row is None else _read(json.loads(row[0]))
        except (sqlite3.Error, ValueError, TypeError):
            return None

    def put(self, key: bytes, generation: Generation) -> None:
        """Store an answer.

        Raises:
            ModelError: it cannot be written (a full disk, a read-only file).
        """
        row = json.dumps(astuple(generation))
        try:
            self._db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, row))
        except sqlite3.Error as error:
            raise ModelError(f"response cache {self.path}: cannot be written ({error})") from error

    def close(self) -> None:
        """Close the file; the last connection also removes SQLite's side files."""
        self._db.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path = state["path"]
        self._open()


def _read(fields: list[Any]) -> Generation:
    """Read a row; one from before thoughts were kept apart has four fields, its text as the model wrote it."""
    if len(fields) > 4:
        return Generation(*fields)
    text, prompt, completion, reason = fields
    return generation_of(read_content(text), reason, prompt, completion)
