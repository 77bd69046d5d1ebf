"""What a journal holds, counted by SQLite: cheap looks at a run, also while it writes."""

import sqlite3
from pathlib import Path
from typing import NamedTuple

from holdfast.simulator.journal.file import sqlite_errors


class TurnCounts(NamedTuple):
    """``turns`` finished, episodes ``ended`` well, episodes ``failed``."""

    turns: int
    ended: int
    failed: int


class PlannedEpisode(NamedTuple):
    """The number of ``episodes`` in the study, and ``turns_owed``: turns that unfinished ones lack at most."""

    episodes: int
    turns_owed: int


class JournalCounts:
    """The part of an open :class:`holdfast.simulator.journal.store.Journal` that counts."""

    path: Path
    _db: sqlite3.Connection

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
