"""Run folders as older versions of holdfast left them, made of one of today's: what each version had not yet is gone.

What they had was looked up in runs that the versions themselves made, from the history of this repository.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from holdfast.simulator.journal.file import SCHEMA_VERSION

#: Version -> what the next one has beside it.
_WITHOUT = {
    5: "ALTER TABLE turns DROP COLUMN kept;",
    4: "ALTER TABLE turns DROP COLUMN calls;",
    3: "".join(f"ALTER TABLE {table} DROP COLUMN digest;" for table in ("meta", "episodes", "turns"))
    + "DELETE FROM meta WHERE key IN ('world', 'provenance', 'episodes');",
    2: "ALTER TABLE turns DROP COLUMN thoughts; ALTER TABLE turns DROP COLUMN outcome;"
    "DELETE FROM meta WHERE key = 'inputs_version';",
    1: "ALTER TABLE turns DROP COLUMN goals_served; ALTER TABLE turns RENAME COLUMN ratings TO expressed;",
}
_FIRST_INPUTS = ("model ", "rater ")  # of versions 1 and 2, a name each


def make_older(run: Path, version: int) -> None:
    """Rewrite a run folder as journal version ``version`` had it; its rater must be the linear one alone."""
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.executescript("".join(_WITHOUT[older] for older in range(SCHEMA_VERSION - 1, version - 1, -1)))
        db.execute(f"PRAGMA user_version={version}")
        if version <= 2:
            (inputs,) = db.execute("SELECT value FROM meta WHERE key = 'inputs'").fetchone()
            kept = {
                name: value
                for name, value in json.loads(inputs).items()
                if name.startswith(_FIRST_INPUTS) and ": " not in name
            }
            db.execute("UPDATE meta SET value = ? WHERE key = 'inputs'", (json.dumps(kept),))
        if version == 1:
            for row, ratings in db.execute("SELECT rowid, expressed FROM turns").fetchall():
                levels = list(json.loads(ratings)["linear"]["values"].values())
                db.execute("UPDATE turns SET expressed = ? WHERE rowid = ?", (json.dumps(levels), row))
    file = run / "run.json"
    content = json.loads(file.read_text())
    if version == 1:
        (rater,) = content["provenance"].pop("raters")
        content["provenance"]["rater"] = {name: rater[name] for name in ("id", "version")}
    file.write_text(json.dumps(content))
