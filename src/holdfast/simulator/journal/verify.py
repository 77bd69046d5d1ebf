"""Whether a journal still holds what was written: digests of rows, and what rows say of each other.

Each function raises a :class:`~holdfast.core.errors.JournalError` that names the conversation and the turn.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.core.wording import quote
from holdfast.simulator.journal.digests import row_digest, turn_digest
from holdfast.simulator.journal.file import damaged
from holdfast.simulator.records import EpisodeSpec, TurnRecord

PULSE = "pulse"  # the last sign of life, in a journal's meta; its ``turns`` were written before it
PLANNED = "episodes"  # how many episodes the study has, in a journal's meta


def intact(path: Path, table: str, row: Sequence[Any], *, digests: bool) -> Sequence[Any]:
    """Return the row without its digest, the last value, which must fit. ``digests``: False for an older journal."""
    *values, digest = row
    if digests or digest is not None:
        try:
            fits = digest == (turn_digest if table == "turns" else row_digest)(*values)
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise damaged(path, f"{_name(table, values)} is not as it was written")
    return values


def check_turns(path: Path, episode: str, turns: Sequence[TurnRecord]) -> None:
    """Check that the turns of an episode are numbered from 1 without a gap."""
    for number, turn in enumerate(turns, start=1):
        if turn.turn != number:
            raise damaged(path, f"turn {number} of the conversation {quote(episode)} is missing")


def check_end(path: Path, row: Sequence[Any], spec: EpisodeSpec, turns: Sequence[TurnRecord]) -> None:
    """Check what an episode's row (see :data:`holdfast.simulator.journal.digests.DIGESTED`) says of its turns."""
    _, episode, _, ended, stop, error = row
    if spec.id != episode:
        raise damaged(path, f"the conversation {quote(str(episode))} has the description of {quote(spec.id)}")
    if error is None:
        last = turns[-1].stop if turns else None
        if (last is not None) != bool(ended) or (ended and last != stop):
            lost = "its last turns are missing" if ended else "it has an end and is said to go on"
            raise damaged(path, f"the conversation {quote(episode)} is incomplete: {lost}")


def check_places(path: Path, meta: Mapping[str, str], places: Sequence[int], orphan: str | None) -> None:
    """Check that no episode's row is gone. ``orphan``: an episode that has turns and no row of its own."""
    if orphan is not None:
        raise damaged(path, f"the conversation {quote(orphan)} has turns and no description")
    planned = int(meta.get(PLANNED, len(places)))
    if list(places) != list(range(1, planned + 1)):
        raise damaged(path, f"{len(places):,} conversations are there, of {planned:,} that were planned")


def check_count(path: Path, meta: Mapping[str, str], turns: int) -> None:
    """Check that there are as many turns as at the last sign of life: the last ones of a run that was stopped."""
    if PULSE in meta and (before := json.loads(meta[PULSE])["turns"]) > turns:
        raise damaged(path, f"{turns:,} turns are there, and there were {before:,}: the last ones are missing")


def _name(table: str, values: Sequence[Any]) -> str:
    if table == "turns":
        return f"turn {values[1]} of the conversation {quote(str(values[0]))}"
    return f"the conversation {quote(str(values[1]))}" if table == "episodes" else f"the entry {quote(str(values[0]))}"
