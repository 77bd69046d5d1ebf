"""A study ready to be held: who takes part in which conversation, and where it is held."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import Callbacks

from holdfast.agents.models.usage import Usage
from holdfast.agents.protocols import Candidate, UserAgent
from holdfast.agents.raters.protocol import Rater
from holdfast.personas.schema import Persona
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.conversation.participants import Participants
from holdfast.simulator.conversation.stop import stop_rule
from holdfast.simulator.records import EpisodeSpec, TurnRecord
from holdfast.simulator.runtime.executor import LOCAL, Executor

UserFactory = Callable[[EpisodeSpec, Persona], UserAgent]


def _never() -> bool:
    return False


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

    def participants(
        self,
        spec: EpisodeSpec,
        on_turn: Callable[[TurnRecord], Awaitable[None]],
        *,
        desired: float | None = None,
        halted: Callable[[], bool] = _never,
        callbacks: Callbacks = None,
    ) -> Participants:
        """Who meets in the conversation ``spec``; see :class:`Participants` for the rest."""
        return Participants(
            spec=spec,
            task=self.plan.tasks[spec.task],
            user=self.user_for(spec, self.plan.personas[spec.persona]),
            candidate=self.candidates[spec.candidate],
            raters=self.raters,
            stop=stop_rule(spec.max_turns, leave=self.plan.study.leave),
            on_turn=on_turn,
            study_seed=self.plan.study.seed,
            desired=desired,
            halted=halted,
            callbacks=callbacks,
        )
