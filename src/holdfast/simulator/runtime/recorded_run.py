"""A run as its folder keeps it: the study, what it was made with, and every conversation that may be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.simulator.config.plan import Plan
from holdfast.simulator.config.recorded import check_recorded, recorded_plan
from holdfast.simulator.journal.store import JOURNAL, Journal
from holdfast.simulator.records import EpisodeRecord
from holdfast.simulator.results.model import RaterInfo
from holdfast.simulator.runtime.felt_file import add_felt_file
from holdfast.simulator.runtime.run_folder import read_run_file, recorded_raters, recorded_timings


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What ``out`` holds. ``meta``: of the journal; ``raters``: the primary one first, feelers last."""

    out: Path
    plan: Plan
    meta: Mapping[str, str]
    provenance: Mapping[str, Any]
    timings_s: Mapping[str, float]
    raters: list[RaterInfo]
    episodes: list[EpisodeRecord]


def read_recorded_run(out: Path) -> RecordedRun:
    """Read a run folder, also while the run goes on.

    Raises:
        InputError: ``out`` holds no study, or no journal.
        JournalError: Its journal is damaged.
    """
    with Journal.read(out / JOURNAL) as journal:
        meta = journal.meta()
        plan, run = recorded_plan(meta, journal.path), read_run_file(out, meta)
        episodes = list(journal.episodes(measured=True))
    check_recorded(plan, episodes, out / JOURNAL)
    provenance = run["provenance"]
    episodes, raters = add_felt_file(out, episodes, recorded_raters(provenance))
    return RecordedRun(out, plan, meta, provenance, recorded_timings(run), raters, episodes)
