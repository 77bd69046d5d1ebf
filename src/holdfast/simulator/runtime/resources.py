"""The models, adapters, router, rater and users that a study needs, loaded and checked once.

What stands here has side effects and is heavy (torch); a study's plan and its measurement are neither.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from holdfast.adapters.experts import ADAPTERS, ROUTER, TrainingBase
from holdfast.adapters.micro import base_path
from holdfast.adapters.routing.router import WordRouter
from holdfast.adapters.training.store import AdapterStore, weights_sha256
from holdfast.agents import registry
from holdfast.agents.models.usage import CountsUsage, Usage
from holdfast.agents.models.opening import open_models, references
from holdfast.agents.models.local.multiprocess import ProcessesModel
from holdfast.agents.models.references import LocalReference, ModelReference
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.prompts import prompt_hashes
from holdfast.agents.protocols import ChatModel
from holdfast.agents.raters.coalescing import CoalescingRater
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.users.llm.agent import ModelUser
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.agents.users.specs import ModelUsers
from holdfast.core.errors import InputError
from holdfast.personas.schema import Persona
from holdfast.simulator.engine.run import Troupe
from holdfast.simulator.runtime.executor import LOCAL, Executor
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.config.study import StudyConfig

if TYPE_CHECKING:
    from holdfast.agents.models.local.model import LocalChatModel

ADAPTED = ("adapter", "routed", "oracle")  # kinds of candidates that speak through adapters


@dataclass(frozen=True)
class Resources:
    """What a study's conversations are held with. ``models`` and ``references`` by what the study says of them."""

    models: Mapping[ModelSpec, ChatModel]
    references: Mapping[ModelSpec, ModelReference]
    default: ModelSpec
    rater: LinearRater
    speakers: tuple[ModelSpec, ...]  # that speak through the study's adapters
    writer: ModelSpec | None = None  # who writes the dialogues to train on, where the study's model does not
    place: Executor = LOCAL  # where local models are, and conversations held

    @property
    def base(self) -> TrainingBase:
        """The study's model, as training takes it. Its files call it by a name, never by this machine's path.

        Raises:
            InputError: it is no model of this machine.
        """
        reference, model = self.references[self.default], self.models[self.default]
        if not isinstance(reference, LocalReference):
            raise InputError(
                f"adapters are trained on a model of this machine, not on {self.default.in_words}; take 'hf:…' or "
                "'micro', or give 'adapters: FOLDER' of a run that trained some"
            )
        name = "holdfast-micro" if reference.word == "micro" else reference.path.name
        writer = None if self.writer is None else self.models[self.writer]
        return TrainingBase(cast("LocalChatModel", model), reference.path, name, writer)

    def inputs(self, experts: Mapping[str, Path]) -> dict[str, str]:
        """What the transcripts follow from besides the study: hashes of local models, adapters, the rater.

        What stands behind an endpoint cannot be hashed; its name must do.
        """
        hashes = {
            f"model {spec.ref}": weights_sha256(reference.path) if isinstance(reference, LocalReference) else "served"
            for spec, reference in self.references.items()
        }
        hashes |= {f"adapter {name}": weights_sha256(path) for name, path in experts.items()}
        return {**hashes, f"rater {self.rater.identity.id}": self.rater.identity.version}

    def add_experts(self, experts: Mapping[str, Path]) -> None:
        """Let the models of the study's adapted candidates speak through these adapters.

        A local model loads them, each checked against the base first. A server knows them by name already, or loads
        them now where the study says ``load_adapters``.

        Raises:
            ModelError: an adapter is of another base, or the server refuses it.
        """
        for spec in self.speakers:
            model, reference = self.models[spec], self.references[spec]
            if isinstance(reference, LocalReference):
                bank = cast("LocalChatModel", model)
                for name, path in experts.items():
                    AdapterStore(path.parent).check(name, reference.path)
                    if name not in bank.adapters:
                        bank.add_adapter(name, path)
            elif isinstance(model, ServedChatModel) and spec.load_adapters:
                asyncio.run(model.load_adapters(experts.items()))

    @property
    def meters(self) -> tuple[Usage, ...]:
        """What the models count into; local ones count nothing."""
        return tuple(model.meter for model in self.models.values() if isinstance(model, CountsUsage))

    def counters(self) -> Mapping[str, float]:
        """What the models have counted so far (requests, retries, cost), added up."""
        total: Counter[str] = Counter()
        for meter in self.meters:
            total.update(meter.counters())
        return total

    def close(self) -> None:
        """Close what the models keep open: the files of their response caches, their processes."""
        for model in self.models.values():
            if isinstance(model, ServedChatModel | ProcessesModel):
                model.close()

    def troupe(self, plan: Plan, router: WordRouter | None) -> Troupe:
        """Everyone who can be cast."""
        workshop = registry.CandidateResources(
            models={spec: traced(model) for spec, model in self.models.items()},
            default_model=self.default,
            tasks=plan.tasks,
            patterns=plan.patterns,
            router=router,
            sampling=plan.study.sampling.sampling(),
        )
        candidates = {spec.name: registry.build(spec, workshop) for spec in plan.study.candidates}
        simulators = {
            spec.name: model_users(spec, traced(self.models[spec.model or self.default]))
            for spec in plan.study.users
            if spec.kind == "model"
        }
        hold = partial(self.place.hold, meters=self.meters)
        return Troupe(candidates, user_for, {self.rater.identity.id: CoalescingRater(self.rater)}, simulators, hold)


def traced(model: ChatModel) -> ChatModel:
    """The model, so that LangChain handlers hear of its calls; LangChain's own tell of theirs."""
    from holdfast.agents.models.langchain.model import LangChainChatModel
    from holdfast.agents.models.langchain.tracing import Traced

    return model if isinstance(model, LangChainChatModel) else Traced(model)


def user_for(persona: Persona) -> EmbeddedUser:
    """The user agent that plays a persona."""
    return EmbeddedUser(persona)


def model_users(spec: ModelUsers, model: ChatModel) -> Callable[[Persona, str], ModelUser]:
    """Who makes a user agent that ``model`` plays, for a persona and a conversation's id."""

    def play(persona: Persona, conversation: str) -> ModelUser:
        sampling = spec.sampling.sampling()
        return ModelUser(persona, model, conversation, sampling, spec.retries, spec.window, spec.answer_tokens)

    return play


def user_prompts(study: StudyConfig) -> dict[str, str]:
    """Hashes of the prompts by which models play users, among a run's inputs; none where no model does."""
    if all(spec.kind == "embedded" for spec in study.users):
        return {}
    return {f"prompt {name}": hash for name, hash in prompt_hashes().items() if name.startswith("users/")}


def open_resources(study: StudyConfig, place: Executor = LOCAL) -> Resources:
    """Load every model that the study names, local ones at ``place``.

    Raises:
        InputError: an unknown model reference, a key that is not set.
        ModelError: a model cannot be loaded.
    """
    if study.budget.cost_usd is not None:
        _countable(study)
    found = references(_named(study), base_path())
    adapted = [spec.model or study.model for spec in study.candidates if spec.kind in ADAPTED]
    speakers = tuple(dict.fromkeys([study.model, *adapted]))
    models = open_models(found, batch_size=study.batch_size, local=place.load)
    writer = study.training.model if study.training is not None else None
    return Resources(models, found, study.model, study_rater(study), speakers, writer, place)


def _countable(study: StudyConfig) -> None:
    """An InputError where a limit of money could never be reached, since nobody counts it."""
    if all(spec.prices is None for spec in _named(study)):
        raise InputError("a limit of money needs the price of a model: add 'prices: {prompt: …, completion: …}' to one")


def _named(study: StudyConfig) -> tuple[ModelSpec, ...]:
    """Every model that the study names, each once: of candidates, of users, and of steering."""
    players = [spec.model for spec in study.users if spec.kind == "model" and spec.model]
    writer = study.training.model if study.training is not None else None
    named = [study.model, *(spec.model for spec in study.candidates), *players, writer]
    return tuple(dict.fromkeys(spec for spec in named if spec is not None))


def study_rater(study: StudyConfig) -> LinearRater:
    """Who rates expressed empathy in a study."""
    return LinearRater()


def experts_in(folder: Path) -> tuple[dict[str, Path], WordRouter | None]:
    """The adapters below ``folder``, and the router beside them where there is one."""
    router = folder / Path(ROUTER).name
    return AdapterStore(folder).paths(), WordRouter.load(router) if router.exists() else None


def trained_in(out: Path) -> Path:
    """Where a run folder keeps the adapters that it trained."""
    return out / ADAPTERS


def need_experts(study: StudyConfig, experts: Mapping[str, Path]) -> None:
    """An InputError that says what to do, where a candidate speaks through adapters and there are none."""
    wanting = [spec.name for spec in study.candidates if spec.kind in ADAPTED and (spec.model or study.model).local]
    if wanting and not experts:
        raise InputError(
            f"candidates {', '.join(wanting)} speak through adapters, and the study has none: "
            "add a 'training' section, or 'adapters: FOLDER' of a run that trained some"
        )
