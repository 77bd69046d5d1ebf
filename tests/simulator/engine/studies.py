"""Small studies over the test doubles, also as a script to be killed: ``python -m … OUT [pause] [terminal]``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from holdfast.agents.protocols import ChatModel
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.engine.run import RunOutcome, run_study
from holdfast.simulator.journal.store import read_episodes
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.monitor.progress import PlainProgress
from holdfast.simulator.monitor.running_means import pattern_targets
from holdfast.simulator.monitor.viewer import progress_for
from holdfast.simulator.runtime.resources import Resources
from holdfast.simulator.runtime.session import Session
from tests.simulator.scripted import HashModel, HashRater, ScriptedUser


def study(**changes: Any) -> Plan:
    """Three personas x three candidates x 6 turns; no trained weights needed."""
    ids = ("amara_okafor", "diego_fuentes", "jun_park")
    candidates = ("base", "system_prompt", {"kind": "adapter", "adapter": "solver"})
    fields = {"personas": {"ids": ids}, "candidates": candidates, "turns": 6, "seed": 5, "batch_size": 4}
    return resolve(StudyConfig.model_validate(fields | changes))


def session(plan: Plan, model: ChatModel | None = None, leaves_after: int = 10_000, **changes: Any) -> Session:
    """The candidates of ``plan`` over one model, scripted users and rater."""
    resources = Resources(plan, {plan.study.model: model or HashModel()}, {}, {"hash": HashRater()})
    parts = {"user_for": lambda episode, persona: ScriptedUser(persona, leaves_after), "raters": {"hash": HashRater()}}
    return Session(plan, resources.candidates(), **(parts | changes))


def run(session: Session, out: Path, **options: Any) -> RunOutcome:
    """Hold the study in ``out``, in an event loop of its own."""
    return asyncio.run(run_study(session, out, **options))


def transcripts(out: Path) -> str:
    return transcripts_sha256(read_episodes(out / "journal.sqlite"))


if __name__ == "__main__":
    plan = study(replicates=3)
    pause = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    progress = progress_for() if "terminal" in sys.argv else PlainProgress()
    progress.expect(pattern_targets(plan.tasks, plan.patterns))
    try:
        run(session(plan, HashModel(pause=pause)), Path(sys.argv[1]), resume=True, progress=progress)
    except KeyboardInterrupt:
        sys.exit(130)
