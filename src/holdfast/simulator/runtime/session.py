"""Who holds a study's conversations, loaded or replayed, and the file that says what a run did besides them."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.core.atomic import drafted
from holdfast.agents.raters.coalescing import CoalescingRater
from holdfast.core.errors import InputError, JournalError
from holdfast.personas.schema import Persona
from holdfast.simulator.engine.budget import Counters, nothing
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.journal.replay import ReplayedCandidate, ReplayedUser, must_hold
from holdfast.simulator.engine.run import Troupe
from holdfast.simulator.runtime.resources import study_rater, user_for
from holdfast.simulator.config.plan import Plan

RUN_FILE = "run.json"  # what a run did besides its conversations: seconds by stage, versions, hashes


@dataclass(frozen=True, slots=True)
class Session:
    """A study ready to be held. ``inputs``: what the transcripts follow from; ``timings``: seconds so far, by stage."""

    plan: Plan
    troupe: Troupe
    inputs: Mapping[str, str]
    provenance: Mapping[str, Any]
    timings: dict[str, float]
    counters: Counters = nothing

    def arguments(self) -> dict[str, Any]:
        """Its part of ``run_study``'s arguments."""
        return {"plan": self.plan, "troupe": self.troupe, "inputs": self.inputs, "counters": self.counters}


def replaying(plan: Plan, old: Journal, folder: Path, timings: dict[str, float]) -> Session:
    """The candidates of ``old``, and users and rater as they are now."""
    must_hold(old, plan.episodes)
    candidates = {name: ReplayedCandidate(name, old) for name in plan.study.candidate_names}
    rater = study_rater(plan.study)
    inputs = {"replay of study": old.meta()["study_sha256"], f"rater {rater.identity.id}": rater.identity.version}
    run = read_json(folder / RUN_FILE) if (folder / RUN_FILE).exists() else {"provenance": {}}
    then = {name: value for name, value in run["provenance"].items() if name in ("model", "microcosm", "prompts")}
    made = {**versions(("langgraph", "numpy")), **then, "replayed": True, "inputs": inputs}
    made["rater"] = {"id": rater.identity.id, "version": rater.identity.version}
    played = {users.name: _as_they_were(old) for users in plan.study.users if users.kind == "model"}
    return Session(plan, Troupe(candidates, user_for, {rater.identity.id: CoalescingRater(rater)}, played), inputs, made, timings)


def _as_they_were(old: Journal) -> Callable[[Persona, str], ReplayedUser]:
    """Users that a model played, by persona and conversation, from the journal ``old``."""
    return lambda persona, conversation: ReplayedUser(persona, old, conversation)


@contextmanager
def noting(company: Session, out: Path) -> Iterator[None]:
    """Write down what the run did, however its conversations end."""
    began, timings = time.perf_counter(), company.timings

    def note() -> None:
        timings["conversations"] = timings.get("conversations", 0.0) + time.perf_counter() - began
        with on_disk(out):
            write_json(out / RUN_FILE, {"timings_s": _rounded(timings), "provenance": company.provenance})

    try:
        yield
    except BaseException:
        with suppress(JournalError):  # a disk that is full is told once
            note()
        raise
    note()


@contextmanager
def on_disk(out: Path) -> Iterator[None]:
    """A JournalError with the next step, where a file of the run folder cannot be written."""
    try:
        yield
    except OSError as error:
        raise JournalError(
            f"{error.filename or out}: cannot be written ({error.strerror}); every finished turn is kept in the "
            f"journal: put that right, then go on with --resume, or make the report with holdfast report {out}"
        ) from error


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Of Python and of these packages."""
    from importlib.metadata import version

    return {"python": platform.python_version(), **{package: version(package) for package in packages}}


def kept_timings(out: Path) -> dict[str, float]:
    """Seconds by stage of earlier calls in ``out``."""
    return dict(read_json(out / RUN_FILE)["timings_s"]) if (out / RUN_FILE).exists() else {}


def _rounded(timings: Mapping[str, float]) -> dict[str, float]:
    return {stage: round(seconds, 2) for stage, seconds in timings.items()}


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Whole or not at all. Raises OSError where that fails."""
    with drafted(path) as draft:
        draft.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """An InputError where ``path`` holds no JSON object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds no JSON object")
    return value
