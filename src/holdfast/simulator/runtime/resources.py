"""The models, adapters, router and raters that a study needs, loaded and checked once.

What stands here has side effects and is heavy (torch); a study's plan and its measurement are neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.writing import TrainingPeople
from holdfast.adapters.inputs import TrainingBase, model_inputs
from holdfast.adapters.micro import base_path
from holdfast.adapters.progress import StageProgress, silent
from holdfast.adapters.training.store import AdapterStore
from holdfast.agents import registry
from holdfast.agents.assistants.candidates import DescribedCandidate, Router
from holdfast.agents.models.langchain.model import LangChainChatModel
from holdfast.agents.models.langchain.tracing import Traced
from holdfast.agents.models.local.multiprocess import ProcessesModel
from holdfast.agents.models.local.template_files import template_of
from holdfast.agents.models.opening import open_models, references
from holdfast.agents.models.reference_syntax import WORDS
from holdfast.agents.models.references import LocalReference, ModelReference
from holdfast.agents.models.served.model import ServedChatModel
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.models.usage import CountsUsage, Usage
from holdfast.agents.protocols import ChatModel, Message, Sampling
from holdfast.agents.raters.protocol import Rater
from holdfast.agents.raters.specs import RaterSpec
from holdfast.core.errors import InputError
from holdfast.core.wording import either
from holdfast.personas.schema import EmpathyPattern, TaskContext
from holdfast.simulator.config.plan import Plan
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.runtime.adapters import check_training, training_people, used_adapters
from holdfast.simulator.runtime.exchanges import people_tested, training_exchanges
from holdfast.simulator.runtime.executor import LOCAL, AdapterModel, Executor
from holdfast.simulator.runtime.prompt_rehearsal import steering_places
from holdfast.simulator.runtime.raters import (
    check_languages,
    check_raters,
    check_targets,
    choosing_raters,
    judge_models,
    raters_of,
    training_rater,
)

if TYPE_CHECKING:
    from holdfast.agents.assistants.exchange_store import StoredExchange
    from holdfast.agents.models.local.model import LocalChatModel


@dataclass(frozen=True)
class Resources:
    """What a study's conversations are held with; builders of candidates draw on it.

    ``models`` and ``references`` by what the study says of them; ``raters`` by name, the primary one first, feelers
    last; ``choosers``: by which candidates choose replies; ``exchanges``: of the training dialogues; ``executor``:
    where local models are.
    """

    plan: Plan
    models: Mapping[ModelSpec, ChatModel]
    references: Mapping[ModelSpec, ModelReference]
    raters: Mapping[str, Rater]
    executor: Executor = LOCAL
    adapters: Mapping[str, Path] = field(default_factory=dict)
    router: Router | None = None
    choosers: Mapping[RaterSpec, Rater] = field(default_factory=dict)
    exchanges: tuple[StoredExchange, ...] = ()

    # --- what candidates are built from ----------------------------------------------------------------------------

    @property
    def tasks(self) -> Mapping[str, TaskContext]:
        return self.plan.tasks

    @property
    def patterns(self) -> Mapping[str, EmpathyPattern]:
        return self.plan.patterns

    @property
    def sampling(self) -> Sampling:
        return self.plan.study.sampling.sampling()

    @property
    def tested(self) -> frozenset[str]:
        return people_tested(self.plan)

    def rater(self, spec: RaterSpec) -> Rater:
        """The rater by which a candidate chooses, behind the gate."""
        return self.choosers[spec]

    def model(self, spec: ModelSpec | None) -> ChatModel:
        """The model that ``spec`` names, the study's where None; LangChain callbacks see its calls."""
        return _seen_by_callbacks(self.models[spec or self.plan.study.model])

    def bears(self, spec: ModelSpec | None, messages: Sequence[Message]) -> bool:
        """Whether ``messages`` would all reach that model; True where its chat template is behind an endpoint."""
        template = template_of(self.references[spec or self.plan.study.model])
        return template is None or template.bears(messages)

    # --- training --------------------------------------------------------------------------------------------------

    @property
    def base(self) -> TrainingBase:
        """The study's model, as training takes it. Its files call it by a name, never by this machine's path.

        Raises:
            InputError: it is no model of this machine.
        """
        study = self.plan.study
        reference, model = self.references[study.model], self.models[study.model]
        if not isinstance(reference, LocalReference):
            raise InputError(
                f"adapters are trained on a model of this machine, not on {study.model.in_words}; take 'hf:…', "
                f"{either(WORDS)}, or give 'adapters: FOLDER' of a run that trained some"
            )
        assert study.training is not None
        writer = study.training.model
        plain = TrainingBase(cast("LocalChatModel", model), reference.path, reference.name, today=reference.today)
        places, own_words = steering_places(self.plan, self.references), (writer or study.model).ref != "micro"
        plain = replace(plain, places=places, own_words=own_words)
        if writer is None:
            return plain
        return replace(plain, writer=self.models[writer], writer_inputs=model_inputs(writer, self.references[writer]))

    @property
    def training(self) -> tuple[TrainingConfig, TrainingPeople, TrainingBase, Rater]:
        """What :func:`holdfast.adapters.experts.train_experts` takes. Raises as :attr:`base` does."""
        config = self.plan.study.training
        assert config is not None
        return config, training_people(self.plan), self.base, self.trainer

    @property
    def trainer(self) -> Rater:
        """The rater that picks and filters training dialogues."""
        return training_rater(self.plan.study, self.raters, self.models)

    def with_exchanges(self, adapters: Path | str | None) -> Resources:
        """The same resources, with the exchanges of the training dialogues that lie beside the folder ``adapters``."""
        return replace(self, exchanges=training_exchanges(self.plan, adapters))

    async def with_adapters(self, adapters: Mapping[str, Path], router: Router | None) -> Resources:
        """The same resources, whose models speak through those of ``adapters`` too that their candidates may come to.

        A local model loads them, each checked against the base first. A server knows them by name already, or loads
        them now where the study says ``load_adapters``.

        Raises:
            ModelError: an adapter is of another base, cannot be run as it was trained, or the server refuses it.
        """
        used = used_adapters(self.plan, adapters, router)
        for spec, names in used.items():
            model, reference = self.models[spec], self.references[spec]
            if isinstance(reference, LocalReference):
                speaker = cast(AdapterModel, model)
                for name in names:
                    AdapterStore(adapters[name].parent).check(name, reference.path)
                    if name not in speaker.adapters:
                        speaker.add_adapter(name, adapters[name])
            elif isinstance(model, ServedChatModel) and spec.load_adapters:
                await model.load_adapters([(name, adapters[name]) for name in names])
        kept = sorted({name for names in used.values() for name in names})
        return replace(self, adapters={name: adapters[name] for name in kept}, router=router)

    # --- the conversations -----------------------------------------------------------------------------------------

    @property
    def usage(self) -> tuple[Usage, ...]:
        """What the models count into; local ones count nothing."""
        return tuple(model.usage for model in self.models.values() if isinstance(model, CountsUsage))

    def candidates(self) -> dict[str, DescribedCandidate]:
        """The study's candidates by name. Raises InputError where one cannot be built."""
        return {spec.name: registry.build_candidate(spec, self) for spec in self.plan.study.arms}

    def close(self) -> None:
        """Close what the models keep open: the files of their response caches, their processes."""
        for model in self.models.values():
            if isinstance(model, ServedChatModel | ProcessesModel):
                model.close()


def open_resources(
    plan: Plan, executor: Executor = LOCAL, wait_s: float = 0.0, progress: StageProgress = silent
) -> Resources:
    """Load every model that the study names, local ones by ``executor``; what is not here yet is fetched.

    ``wait_s``: how long an endpoint is waited for that is still loading.

    Raises:
        InputError: an unknown model reference, a key that is not set.
        ModelError: a model cannot be loaded.
    """
    study = plan.study
    named = _models_named(study)
    if study.budget.cost_usd is not None and all(spec.prices is None for spec in named):
        raise InputError("a limit of money needs the price of a model: add 'prices: {prompt: …, completion: …}' to one")
    check_training(plan)
    check_raters(study)
    resolved = references(named, base_path(), progress)
    progress("loading models", 0, 1)
    models = open_models(resolved, batch_size=study.batch_size, local=executor.load, wait_s=wait_s)
    progress("loading models", 1, 1)
    seen = {spec: _seen_by_callbacks(model) for spec, model in models.items()}
    choosers = choosing_raters(study, seen)
    raters = raters_of(study, seen)
    check_targets(plan, raters)
    check_languages(study, raters, {persona.language: id for id, persona in plan.personas.items()})
    return Resources(plan, models, resolved, raters, executor, choosers=choosers)


def _models_named(study: StudyConfig) -> tuple[ModelSpec, ...]:
    """Every model that the study names, each once: of candidates, of users, of judges, and of steering."""
    players = [spec.model for spec in study.users if spec.kind == "model" and spec.model]
    writer = study.training.model if study.training is not None else None
    named = [study.model, *(spec.model for spec in study.candidates), *players, *judge_models(study), writer]
    return tuple(dict.fromkeys(spec for spec in named if spec is not None))


def _seen_by_callbacks(model: ChatModel) -> ChatModel:
    """Wrap ``model`` so that LangChain callbacks see its calls; LangChain's own models show theirs."""
    return model if isinstance(model, LangChainChatModel) else Traced(model)
