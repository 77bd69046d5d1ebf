"""How a run stands, read from its journal while it writes or long after: a look changes nothing."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.errors import InputError
from holdfast.simulator.config.recorded import recorded_tasks
from holdfast.simulator.journal.store import JOURNAL, Journal
from holdfast.simulator.monitor.heartbeat import DONE, FAILED, RUNNING, STOPPED, Heartbeat, read_heartbeat
from holdfast.simulator.monitor.running_means import RunningMeans, pattern_targets
from holdfast.simulator.runtime.run_folder import PROVENANCE, recorded_raters


@dataclass(frozen=True, slots=True)
class Status:
    """One look at a run. ``turns_owed``: at most so many are still to come (users may leave early).

    ``state``: "running", "done", "stopped", "failed" (no conversation came to an end, or an endpoint never answered) or
    "unknown" (it runs, or ran, on another machine). ``turns_per_s``: of the last call; None before its first second.
    ``causes``: why conversations failed, and how many did so. ``notices``: why it waits, while it runs.
    """

    folder: str
    state: str
    reason: str | None
    turns: int
    turns_owed: int
    episodes: int
    ended: int
    failed: int
    causes: Mapping[str, int]
    turns_per_s: float | None
    seconds_left: float | None
    seconds_since_sign: float | None
    tokens: int
    counters: Mapping[str, float]
    adherence: Mapping[str, float]
    notices: tuple[str, ...] = ()


class StatusReader:
    """Looks at one run again and again; each look reads only the turns that are new since the last."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """Raises InputError where ``folder`` is absent."""
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such run folder")
        self._folder, self._clock = folder, clock
        self._means: RunningMeans | None = None
        self._seen = 0

    def look(self) -> Status:
        """The run as it is now. A JournalError where there is no journal, or one that cannot be read."""
        with Journal.read(self._folder / JOURNAL) as journal:
            meta = journal.meta()
            heartbeat = read_heartbeat(meta)
            alive = heartbeat.alive() if heartbeat else None  # asked at once: a run may end while the rest is read
            counts, planned = journal.count(), journal.planned()
            if self._means is None:
                scale = recorded_raters(json.loads(meta.get(PROVENANCE, "{}")))[0].scale
                self._means = RunningMeans(pattern_targets(*recorded_tasks(meta, journal.path), scale), scale)
            self._seen = max(self._seen, self._means.add_rows(journal.ratings(after=self._seen)))
            causes, tokens = Counter(journal.causes()), journal.tokens()
        owed = planned.turns_owed
        state, reason = _state(heartbeat, alive, owed)
        if state in (DONE, "unknown") and counts.failed and not counts.ended and not owed:
            state, reason = "failed", "no conversation came to an end"
        speed = heartbeat.turns_per_s if heartbeat else None
        return Status(
            folder=str(self._folder),
            state=state,
            reason=reason,
            turns_owed=owed,
            episodes=planned.episodes,
            **counts._asdict(),
            causes=dict(causes.most_common()),
            turns_per_s=speed,
            seconds_left=owed / speed if speed and state == "running" else None,
            seconds_since_sign=self._clock() - heartbeat.at if heartbeat else None,
            tokens=tokens,
            counters=dict(heartbeat.counters) if heartbeat else {},
            adherence=self._means.means(),
            notices=tuple(heartbeat.notices) if heartbeat and state in ("running", "unknown") else (),
        )


def _state(heartbeat: Heartbeat | None, alive: bool | None, owed: int) -> tuple[str, str | None]:
    if heartbeat is None:
        return ("done", None) if owed == 0 else ("unknown", "no sign of life in the journal")
    if alive:
        return "running", None
    if alive is None:
        return "unknown", f"it runs or ran on {heartbeat.host}"
    if heartbeat.state.startswith(FAILED):
        return "failed", heartbeat.state.removeprefix(FAILED)
    if owed == 0:
        return DONE, None
    reason = heartbeat.state if heartbeat.state != RUNNING else f"process {heartbeat.pid} is gone"
    return "stopped", reason.removeprefix(STOPPED)
