"""What a study asks for: one experiment's YAML as a frozen model, with a default for everything but its candidates.

::

    name: adapter-or-prompt
    seed: 7
    turns: 24
    candidates: [base, system_prompt, {kind: system_prompt_with_reminder, every: 4}, routed]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, Field, field_validator, model_validator

from holdfast.adapters.config import TrainingConfig
from holdfast.agents.assistants.specs import SamplingSpec, of_training
from holdfast.agents.models.spec import AnyModelSpec, ModelSpec
from holdfast.agents.raters.felt.feelers import Feeler, PeopleFeelerSpec, feeling_raters
from holdfast.agents.raters.registry import AnyRaterSpec, require_guide, require_unique
from holdfast.agents.raters.specs import FittedSpec, RaterSpec
from holdfast.agents.registry import AnyCandidateSpec
from holdfast.agents.users.specs import EmbeddedUsers, Users
from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean, quote
from holdfast.core.yaml_source import MAX_NUMBER
from holdfast.personas.population_config import PopulationConfig
from holdfast.personas.schema import EmpathyPattern, Frozen, Id, Persona, TaskContext
from holdfast.personas.varying import VaryConfig
from holdfast.personas.world import World, world_with
from holdfast.simulator.config.holding import ASSUMED, HoldingTerms
from holdfast.simulator.engine.budget import BudgetSpec

Turns = Annotated[int, Field(ge=1, le=10_000)]
OwnFile = Annotated[str, Field(min_length=1, max_length=4000)]
OLD_KEY = "seeds"  # what older files call replicates
Replicates = Annotated[int, Field(ge=1, le=100_000, validation_alias=AliasChoices("replicates", OLD_KEY))]


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once."""
    return sorted(name for name, times in Counter(names).items() if times > 1)


def _named_once(what: str) -> AfterValidator:
    def check(specs: tuple[Any, ...]) -> tuple[Any, ...]:
        if twice := repeated(spec.name for spec in specs):
            raise ValueError(f"two {what} are named {', '.join(map(quote, twice))}; give each a 'name' of its own")
        return specs

    return AfterValidator(check)


def _each_once(lengths: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(lengths)) < len(lengths):
        raise ValueError("a length is given twice")
    return lengths


class PersonaChoice(Frozen):
    """Who takes part. ``ids`` of the library, and ``files`` of one's own: files, folders, or written out; with neither,
    the whole library.

    ``tasks`` keeps only those of some tasks, ``per_task`` draws at most so many of each, by the study's seed. ``vary``:
    of each of those who are left, variants take part instead (:mod:`holdfast.personas.varying`).
    """

    ids: tuple[Id, ...] = ()
    files: tuple[OwnFile | Persona, ...] = ()
    tasks: tuple[Id, ...] = ()
    per_task: Annotated[int, Field(ge=1)] | None = None
    vary: VaryConfig | None = None


class StudyConfig(Frozen):
    """One experiment: personas x candidates x lengths x replicates."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = "study"
    seed: Annotated[int, Field(ge=0, le=MAX_NUMBER)] = 0
    model: AnyModelSpec = ModelSpec(ref="micro")  # of the candidates, and of the steering before training
    adapters: str | None = None  # a folder of trained adapters, where the study trains none of its own
    tasks: tuple[
        OwnFile | TaskContext, ...
    ] = ()  # of one's own beside those that holdfast ships: files, folders, or here
    patterns: tuple[OwnFile | EmpathyPattern, ...] = ()  # the same of empathy patterns
    personas: PersonaChoice = PersonaChoice()
    population: PopulationConfig | None = None  # agents with ties, drawn from the personas; None: each persona once
    users: Annotated[Users, _named_once("simulators")] = (EmbeddedUsers(),)  # each of them plays each persona
    candidates: Annotated[tuple[AnyCandidateSpec, ...], Field(min_length=1), _named_once("candidates")]
    raters: Annotated[tuple[AnyRaterSpec, ...], Field(min_length=1)] = (FittedSpec(),)  # the first makes the curves
    feeler: Feeler = PeopleFeelerSpec()  # who says what people felt: people, formula, or a model
    baseline: str | None = None  # a candidate's name; "base" where there is one, else the first
    turns: Turns = 24
    lengths: Annotated[tuple[Turns, ...], AfterValidator(_each_once)] = ()  # several lengths instead of one
    replicates: Replicates = 1  # of each persona x candidate x length
    rounds: Annotated[int, Field(ge=1, le=1000)] = 1  # of a population; expectations move in between
    leave: bool = False  # may users leave early? False: every conversation has its full length
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 32  # rows of a local model's batch; no result depends on it
    concurrency: Annotated[int, Field(ge=1, le=4096)] | None = None  # conversations at once; None: see below
    budget: BudgetSpec = BudgetSpec()
    sampling: SamplingSpec = SamplingSpec()
    training: TrainingConfig | None = None
    remark: Annotated[str, Field(max_length=2000)] | None = None  # its author's, shown with the results
    holding: HoldingTerms = ASSUMED  # what "holds" is tested against; part of the journal, so fixed beforehand

    @field_validator("raters")
    @classmethod
    def _one_guides_people(cls, raters: tuple[RaterSpec, ...]) -> tuple[RaterSpec, ...]:
        require_unique(raters)
        try:
            require_guide({spec.label: spec.scale_id for spec in raters})
        except InputError as error:
            raise ValueError(str(error)) from None
        return raters

    @model_validator(mode="after")
    def _feelers_have_names_of_their_own(self) -> StudyConfig:
        require_unique((*self.raters, *feeling_raters(self.feeler)))
        return self

    @model_validator(mode="after")
    def _rounds_need_a_population(self) -> StudyConfig:
        if self.rounds > 1 and self.population is None:
            raise ValueError(
                "'rounds' moves the expectations of a population; add 'population', or repeat by 'replicates'"
            )
        return self

    @model_validator(mode="after")
    def _variants_are_no_population(self) -> StudyConfig:
        if self.personas.vary is not None and self.population is not None:
            raise ValueError("'personas.vary' and 'population' both make several of one persona; use one of them")
        return self

    @model_validator(mode="after")
    def _trainings_have_names_of_their_own(self) -> StudyConfig:
        if twice := repeated(self.candidate_names):
            raise ValueError(
                f"training.replicates names a candidate {', '.join(map(quote, twice))}; name yours otherwise"
            )
        return self

    @model_validator(mode="after")
    def _baseline_takes_part(self) -> StudyConfig:
        if self.baseline is not None and self.baseline not in self.candidate_names:
            hint = did_you_mean(self.baseline, self.candidate_names)
            allowed = ", ".join(self.candidate_names)
            raise ValueError(f"baseline {quote(self.baseline)} is no candidate{hint} (candidates: {allowed})")
        return self

    @model_validator(mode="after")
    def _dialogues_and_router_are_there(self) -> StudyConfig:
        for spec in self.candidates if self.training is None and self.adapters is None else ():
            if spec.trained or not (spec.needs_dialogues or spec.needs_router):
                continue
            lacks, instead = "recognises the task by a router", "leave out 'recognise'"
            if spec.needs_dialogues:
                lacks, instead = "shows exchanges of training dialogues", "give it a 'file'"
            raise ValueError(
                f"candidate {quote(spec.name)} {lacks}, and the study has none: {instead}, or add a 'training' "
                "section, or 'adapters: FOLDER' of a run that trained some"
            )
        return self

    @property
    def world(self) -> World:
        """The tasks and patterns that the study knows.

        Raises:
            InputError: a file of its own cannot be read, an id is taken, or a task names a pattern that does not exist.
        """
        return world_with(self.tasks, self.patterns)

    @property
    def natural_voice(self) -> bool:
        """Whether the first embedded users speak in the words of their stories: see :attr:`voices`."""
        return next(iter(self.voices.values()))

    @property
    def voices(self) -> dict[str, bool]:
        """Name of embedded users -> whether they speak in the words of their stories; never empty.

        The embedded model knows only the grammar.
        """
        models = [self.model, *(spec.model for spec in self.candidates if spec.model)]
        default = all(model.ref != "micro" for model in models)
        embedded = [users for users in self.users if users.kind == "embedded"] or [EmbeddedUsers()]
        return {users.name: default if users.voice is None else users.voice == "natural" for users in embedded}

    @property
    def trainings(self) -> dict[str, tuple[str, ...]]:
        """Each trained candidate's name -> the names that it has by training, where there are several."""
        count = 1 if self.training is None else self.training.replicates
        numbers = range(1, count + 1) if count > 1 else ()
        trained = [spec.name for spec in self.candidates if spec.trained and numbers]
        return {name: tuple(of_training(name, number) for number in numbers) for name in trained}

    @property
    def arms(self) -> tuple[AnyCandidateSpec, ...]:
        """The candidates, those that are trained once for each training."""
        return tuple(
            spec.retrained(number)
            for spec in self.candidates
            for number in range(1, len(self.trainings.get(spec.name, (0,))) + 1)
        )

    @property
    def candidate_names(self) -> tuple[str, ...]:
        """Of all arms."""
        return tuple(candidate.name for candidate in self.arms)

    @property
    def baseline_name(self) -> str:
        """Whom the others are compared with."""
        if self.baseline is not None:
            return self.baseline
        return "base" if "base" in self.candidate_names else self.candidate_names[0]

    @property
    def conversations_at_once(self) -> int:
        """What the study says; else as many as a local model takes into one batch, or as the endpoint may get."""
        models = [self.model, *(spec.model for spec in self.candidates if spec.model)]
        at_most = self.batch_size if any(model.local for model in models) else max(m.concurrency for m in models)
        return self.concurrency or at_most

    @property
    def all_lengths(self) -> tuple[int, ...]:
        return self.lengths or (self.turns,)
