"""What a study's YAML may say about each kind of candidate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from holdfast.agents.models.spec import AnyModelSpec
from holdfast.agents.protocols import Sampling
from holdfast.personas.schema import Frozen, Id, TaskContext, Text

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.+-]*$", max_length=60)]
"""A candidate's name: it stands in episode ids (which join with ``/``), tables and charts."""


class SamplingSpec(Frozen):
    """How to decode; ``temperature`` 0 is greedy."""

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[int, Field(ge=1, le=32_768)] = 96

    def sampling(self) -> Sampling:
        return Sampling(self.temperature, self.top_p, self.max_tokens)


class CandidateSpec(Frozen):
    """What every kind has. ``model`` and ``sampling``: the study's where None.

    ``title``: the kind as people read it in a sentence, "the" and its word by default. ``trained``: whether the kind
    speaks through trained adapters.
    """

    title: ClassVar[str] = ""
    trained: ClassVar[bool] = False

    kind: str
    name: Name = ""
    model: AnyModelSpec | None = None
    sampling: SamplingSpec | None = None

    @model_validator(mode="before")
    @classmethod
    def _named_after_its_kind(cls, data: object) -> object:
        return {"name": data.get("kind"), **data} if isinstance(data, dict) else data

    @property
    def in_words(self) -> str:
        """The kind's title, or in quotes the name that the study gave instead."""
        return self.title or f"the {self.kind.replace('_', ' ')}" if self.name == self.kind else f"“{self.name}”"

    def adapter_names(self, tasks: Iterable[TaskContext]) -> frozenset[str]:
        """Names of the adapters that conversations of ``tasks`` cannot do without."""
        return frozenset()

    def adapters_used(self, tasks: Iterable[TaskContext]) -> frozenset[str]:
        """Names of the adapters that it may speak through, where they are there: only these are loaded."""
        return self.adapter_names(tasks)


class BaseSpec(CandidateSpec):
    """The bare model."""

    title = "the base model"
    kind: Literal["base"] = "base"


class PromptedSpec(CandidateSpec):
    """Under a prompt: the task's pattern in words, or that of one ``pattern`` always, or one's own ``prompt`` text."""

    pattern: Id | None = None
    prompt: Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> PromptedSpec:
        if self.pattern is not None and self.prompt is not None:
            raise ValueError("give either 'pattern' or 'prompt', not both")
        return self


class SystemPromptSpec(PromptedSpec):
    """A system prompt at the start."""

    kind: Literal["system_prompt"] = "system_prompt"


class ReminderSpec(PromptedSpec):
    """A system prompt at the start and again every ``every`` turns."""

    title = "the system prompt with reminders"
    kind: Literal["system_prompt_with_reminder"] = "system_prompt_with_reminder"
    every: Annotated[int, Field(ge=1, le=1000)] = 4
    where: Literal["system", "user"] = "system"


class AdapterSpec(PromptedSpec):
    """One fixed adapter; ``with_prompt`` adds the system prompt (a ``pattern`` or ``prompt`` implies it)."""

    trained = True

    kind: Literal["adapter"] = "adapter"
    adapter: Annotated[str, Field(min_length=1, max_length=400)]
    with_prompt: bool = False

    @property
    def prompted(self) -> bool:
        return self.with_prompt or self.pattern is not None or self.prompt is not None

    def adapter_names(self, tasks: Iterable[TaskContext]) -> frozenset[str]:
        return frozenset({self.adapter})


class ExpertsSpec(CandidateSpec):
    """One expert per pattern. ``experts`` maps a pattern id to an adapter's name; the pattern's own id by default."""

    trained = True

    experts: dict[Id, str] = Field(default_factory=dict)

    def by_task(self, tasks: Iterable[TaskContext]) -> dict[str, str]:
        """Map each task's id to the name of its expert."""
        return {task.id: self.experts.get(task.pattern, task.pattern) for task in tasks}

    def adapter_names(self, tasks: Iterable[TaskContext]) -> frozenset[str]:
        return frozenset(self.experts.values())  # of the other patterns a router may do without

    def adapters_used(self, tasks: Iterable[TaskContext]) -> frozenset[str]:
        return frozenset({*self.experts.values(), *self.by_task(tasks).values()})


class RoutedSpec(ExpertsSpec):
    """Experts chosen by the recognised task."""

    title = "routed experts"
    kind: Literal["routed"] = "routed"


class OracleSpec(ExpertsSpec):
    """Experts chosen by the true task."""

    title = "experts told the task"
    kind: Literal["oracle"] = "oracle"

    def adapter_names(self, tasks: Iterable[TaskContext]) -> frozenset[str]:
        return frozenset({*self.experts.values(), *self.by_task(tasks).values()})
