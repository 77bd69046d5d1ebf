"""Small studies over the test doubles, also as a script to be killed: ``python -m … OUT [pause] [terminal]``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from holdfast.agents import registry
from holdfast.agents.registry import CandidateResources
from holdfast.simulator.journal.store import read_episodes
from holdfast.simulator.monitor.progress import PlainProgress, progress_for
from holdfast.simulator.engine.run import Troupe, run_study
from holdfast.simulator.monitor.running_means import pattern_targets
from holdfast.simulator.measure.transcripts import transcripts_sha256
from holdfast.simulator.config.plan import Plan, resolve
from holdfast.simulator.config.study import StudyConfig
from tests.simulator.scripted import HashModel, HashRater, ScriptedUser


def study(**changes: Any) -> Plan:
    """Three personas x three candidates x 6 turns; no trained weights needed."""
    ids = ("amara_okafor", "diego_fuentes", "jun_park")
    candidates = ("base", "system_prompt", {"kind": "adapter", "adapter": "solver"})
    fields = {"personas": {"ids": ids}, "candidates": candidates, "turns": 6, "seed": 5, "batch_size": 4}
    return resolve(StudyConfig.model_validate(fields | changes))


def troupe(plan: Plan, model: HashModel | None = None, leaves_after: int = 10_000) -> Troupe:
    shop = CandidateResources({plan.study.model: model or HashModel()}, plan.study.model, plan.tasks, plan.patterns)
    candidates = {spec.name: registry.build(spec, shop) for spec in plan.study.candidates}
    return Troupe(candidates, lambda persona: ScriptedUser(persona, leaves_after), {"hash": HashRater()})


def transcripts(out: Path) -> str:
    return transcripts_sha256(read_episodes(out / "journal.sqlite"))


if __name__ == "__main__":
    plan = study(seeds=3)
    pause = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    progress = progress_for() if "terminal" in sys.argv else PlainProgress()
    progress.expect(pattern_targets(plan.tasks, plan.patterns))
    try:
        run_study(plan, troupe(plan, HashModel(pause=pause)), Path(sys.argv[1]), resume=True, progress=progress)
    except KeyboardInterrupt:
        sys.exit(130)
