"""The session of a study that is run again from its journal: no model is loaded."""

from pathlib import Path

from holdfast.adapters.micro import base_path
from holdfast.agents.models.opening import open_models, references
from holdfast.agents.protocols import UserAgent
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.personas.schema import Persona
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.journal.replay import ReplayedCandidate, ReplayedUser, require_episodes
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.records import EpisodeSpec
from holdfast.simulator.runtime.provenance import rater_records, versions
from holdfast.simulator.runtime.raters import coalesced, judge_models, rater_inputs, raters_of
from holdfast.simulator.runtime.run_folder import read_run_file
from holdfast.simulator.runtime.session import Session


def replay_session(plan: Plan, journal: Journal, folder: Path) -> Session:
    """The candidates, and the users that models played, as ``journal`` in ``folder`` has them; all else as it is now.

    Raises:
        JournalError: it lacks conversations of the study.
    """
    require_episodes(journal, plan.episodes)
    raters = raters_of(plan.study, open_models(references(judge_models(plan.study), base_path())))
    inputs = {"replay of study": journal.meta()["study_sha256"], **rater_inputs(raters)}
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
