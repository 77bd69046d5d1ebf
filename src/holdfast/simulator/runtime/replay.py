"""The session of a study that is run again from its journal: no model is loaded."""

from __future__ import annotations

from pathlib import Path

from holdfast.agents.protocols import UserAgent
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.personas.schema import Persona
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.journal.replay import ReplayedCandidate, ReplayedUser, must_hold
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.records import EpisodeSpec
from holdfast.simulator.runtime.provenance import rater_records, rater_versions, versions
from holdfast.simulator.runtime.resources import coalesced, study_raters
from holdfast.simulator.runtime.run_folder import read_run_file
from holdfast.simulator.runtime.session import Session


def replay_session(plan: Plan, journal: Journal, folder: Path) -> Session:
    """The candidates, and the users that models played, as ``journal`` in ``folder`` has them; all else as it is now.

    Raises:
        JournalError: it lacks conversations of the study.
    """
    must_hold(journal, plan.episodes)
    raters = study_raters(plan.study)
    inputs = {"replay of study": journal.meta()["study_sha256"], **rater_versions(raters)}
    before = read_run_file(folder)["provenance"]
    kept = {
        name: value for name, value in before.items() if name in ("model", "microcosm", "prompts", "system_prompts")
    }
    provenance = {**versions(("langgraph", "numpy")), **kept, "replayed": True, "inputs": inputs}

    def user_for(spec: EpisodeSpec, persona: Persona) -> UserAgent:
        return ReplayedUser(persona, journal, spec.id) if spec.simulator else EmbeddedUser(persona)

    return Session(
        plan,
        candidates={name: ReplayedCandidate(name, journal) for name in plan.study.candidate_names},
        user_for=user_for,
        raters=coalesced(raters),
        inputs=inputs,
        provenance=provenance | {"raters": rater_records(raters)},
    )
