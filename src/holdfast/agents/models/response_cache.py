"""Answers kept on disk by the hash of their request, so that the same request is not paid for twice. Off by default."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from holdfast.agents.protocols import Generation
from holdfast.core.errors import ModelError

_TABLE = "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID"


class ResponseCache:
    """An SQLite file in WAL mode; several processes may share it. Only whole, valid answers are kept.

    An answer depends on nothing but the endpoint's URL and the bytes of the request, the seed among them.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises ModelError where it cannot be, or is something else."""
        self.path = path
        self._open()

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=30, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(_TABLE)
        except (sqlite3.Error, OSError) as error:
            raise ModelError(f"response cache {self.path}: cannot be opened ({error})") from error

    @staticmethod
    def key(base_url: str, body: bytes) -> bytes:
        """What an answer is kept under."""
        return hashlib.sha256(base_url.encode() + b"\0" + body).digest()

    def get(self, key: bytes) -> Generation | None:
        """The kept answer, or None; one that cannot be read counts as absent."""
        try:
            row = self._db.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
            return None if row is None else Generation(*json.loads(row[0]))
        except (sqlite3.Error, ValueError, TypeError):
            return None

    def put(self, key: bytes, made: Generation) -> None:
        """Keep an answer. Raises ModelError where it cannot be written (a full disk, a read-only file)."""
        row = json.dumps([made.text, made.prompt_tokens, made.completion_tokens, made.finish_reason])
        try:
            self._db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, row))
        except sqlite3.Error as error:
            raise ModelError(f"response cache {self.path}: cannot be written ({error})") from error

    def close(self) -> None:
        """Close the file; the last one to do so tidies it up."""
        self._db.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path = state["path"]
        self._open()
