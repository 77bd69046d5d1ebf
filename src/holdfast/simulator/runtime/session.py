"""A study ready to be held: who takes part in which conversation, and where; or run again from its journal."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.adapters.micro import base_path
from holdfast.agents.models.opening import open_models, references
from holdfast.agents.models.usage import Usage
from holdfast.agents.protocols import Candidate, ChatModel
from holdfast.agents.raters.protocol import Rater
from holdfast.agents.users.llm.agent import ModelUser
from holdfast.agents.users.protocol import UserAgent
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.agents.users.specs import EMBEDDED, ModelUsers
from holdfast.personas.schema import Persona
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.conversation.participants import Participants
from holdfast.simulator.conversation.stop import stop_rule
from holdfast.simulator.journal.replay import ReplayedCandidate, ReplayedUser, require_episodes
from holdfast.simulator.journal.store import Journal
from holdfast.simulator.records import EpisodeSpec, TurnRecord
from holdfast.simulator.runtime.executor import LOCAL, Executor
from holdfast.simulator.runtime.provenance import inputs_of, provenance_of
from holdfast.simulator.runtime.raters import coalesced, judge_models, rater_inputs, raters_of
from holdfast.simulator.runtime.resources import Resources
from holdfast.simulator.runtime.run_folder import rater_records, read_run_file, versions

UserFactory = Callable[[EpisodeSpec, Persona], UserAgent]


@dataclass(frozen=True, slots=True)
class Session:
    """Everybody who takes part in a study's conversations.

    ``candidates`` and ``raters`` by name, the first rater being the primary one; ``user_for`` makes the user agent of a
    conversation. ``inputs``: what the transcripts follow from besides the study, as hashes; ``provenance``: what the
    report says of it. ``usage``: what the models count into.
    """

    plan: Plan
    candidates: Mapping[str, Candidate]
    user_for: UserFactory
    raters: Mapping[str, Rater]
    inputs: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    executor: Executor = LOCAL
    usage: tuple[Usage, ...] = ()

    def counters(self) -> Mapping[str, float]:
        """What the models have counted so far (requests, retries, cost), added up."""
        total: Counter[str] = Counter()
        for usage in self.usage:
            total.update(usage.counters())
        return total

    def notices(self) -> Mapping[str, str]:
        """What the models would have the user know at present, by what it is about."""
        return {about: text for usage in self.usage for about, text in usage.notices.items()}

    def participants(
        self, spec: EpisodeSpec, on_turn: Callable[[TurnRecord], Awaitable[None]], **terms: Any
    ) -> Participants:
        """Who meets in the conversation ``spec``; ``terms``: see ``desired``, ``halted``, ``callbacks`` there."""
        return Participants(
            spec=spec,
            task=self.plan.tasks[spec.task],
            user=self.user_for(spec, self.plan.person(spec)),
            candidate=self.candidates[spec.candidate],
            raters=self.raters,
            stop=stop_rule(spec.max_turns, leave=self.plan.study.leave),
            on_turn=on_turn,
            study_seed=self.plan.study.seed,
            **terms,
        )


def session_of(resources: Resources) -> Session:
    """Return the study of ``resources``, ready to be held. Raises InputError where a candidate cannot be built."""
    plan, candidates = resources.plan, resources.candidates()
    inputs = inputs_of(resources, candidates)
    players = {spec: resources.model(spec.model) for spec in plan.study.users if spec.kind == "model"}
    return Session(
        plan,
        candidates,
        user_factory(plan.study, players),
        coalesced(resources.raters),
        inputs,
        provenance_of(resources, inputs, candidates),
        resources.executor,
        resources.usage,
    )


def embedded_user(study: StudyConfig, episode: EpisodeSpec, persona: Persona) -> EmbeddedUser | None:
    """Return the user agent of a conversation whose simulator is embedded; None where a model plays."""
    natural = study.voices.get(episode.simulator or EMBEDDED)
    return None if natural is None else EmbeddedUser(persona, natural=natural)


def user_factory(study: StudyConfig, players: Mapping[ModelUsers, ChatModel]) -> UserFactory:
    """Make the user agents of conversations: embedded, or played by the model of the conversation's simulator."""
    by_name = {spec.name: (spec, model) for spec, model in players.items()}

    def user_for(episode: EpisodeSpec, persona: Persona) -> UserAgent:
        if (embedded := embedded_user(study, episode, persona)) is not None:
            return embedded
        spec, model = by_name[episode.simulator]
        sampling = spec.sampling.sampling()
        return ModelUser(persona, model, episode.id, sampling, spec.retries, spec.window, spec.answer_tokens)

    return user_for


def replay_session(plan: Plan, journal: Journal, folder: Path) -> Session:
    """The candidates, and the users that models played, as ``journal`` in ``folder`` has them; all else as it is now.

    Raises:
        JournalError: it lacks conversations of the study.
    """
    require_episodes(journal, plan.episodes)
    raters = raters_of(plan.study, open_models(references(judge_models(plan.study), base_path())))
    inputs = {"replay of study": journal.meta()["study_sha256"], **rater_inputs(raters, plan.study)}
    before = read_run_file(folder)["provenance"]
    lasting = ("model", "microcosm", "not_reproducible", "prompts", "system_prompts")
    kept = {name: before[name] for name in lasting if name in before}
    about = {**versions(("langgraph", "numpy")), **kept, "replayed": True, "inputs": inputs}

    def user_for(spec: EpisodeSpec, persona: Persona) -> UserAgent:
        return embedded_user(plan.study, spec, persona) or ReplayedUser(persona, journal, spec.id)

    return Session(
        plan,
        candidates={name: ReplayedCandidate(name, journal) for name in plan.study.candidate_names},
        user_for=user_for,
        raters=coalesced(raters),
        inputs=inputs,
        provenance=about | {"raters": rater_records(raters)},
    )
