"""What a study's YAML may say about each kind of candidate."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from holdfast.agents.models.spec import AnyModelSpec
from holdfast.agents.protocols import Sampling
from holdfast.agents.raters.specs import RaterSpec
from holdfast.core.errors import Fault, InputError
from holdfast.core.files import is_file
from holdfast.core.text import decode, hidden_in, read_bytes
from holdfast.core.wording import quote
from holdfast.personas.schema import Frozen, Id, TaskContext

LONGEST_PROMPT = 50_000  # characters
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.+-]*$", max_length=60)]
"""A candidate's name: it stands in episode ids (which join with ``/``), tables and charts."""


def of_training(name: str, number: int) -> str:
    """Return what the adapter ``name`` is called after its training ``number``, from 1; no pattern's id has a dash."""
    return name if number == 1 else f"{name}-{number}"


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

    def beside(self, folder: Path) -> Self:
        """Return the spec with the texts of the files that it names, which lie relative to the study's folder."""
        return self

    @property
    def raters(self) -> tuple[RaterSpec, ...]:
        """The raters that have a say in its replies: none of them may judge the study."""
        return ()

    @property
    def needs_dialogues(self) -> bool:
        """Whether it speaks with the help of a study's training dialogues."""
        return False

    @property
    def needs_router(self) -> bool:
        """Whether it asks a trained router which task a conversation has."""
        return False

    def retrained(self, number: int) -> Self:
        """Return the same candidate with the adapters of training ``number``, from 1, named after it."""
        return self.model_copy(update={"name": of_training(self.name, number)})

    def adapter_names(self, tasks: Iterable[TaskContext]) -> frozenset[str]:
        """Names of the adapters that conversations of ``tasks`` cannot do without."""
        return frozenset()

    def reachable_adapters(self, tasks: Iterable[TaskContext], recognised: Iterable[TaskContext]) -> frozenset[str]:
        """Names of the adapters that conversations of ``tasks`` may come to, where a router says ``recognised``."""
        return self.adapter_names([*tasks, *recognised])


class BaseSpec(CandidateSpec):
    """The bare model."""

    title = "the base model"
    kind: Literal["base"] = "base"


class PromptedSpec(CandidateSpec):
    """Under a prompt: the task's pattern in words, or that of one ``pattern`` always, or one's own.

    One's own stands in the study as ``prompt``, or in a ``prompt_file``, whose text takes the place of ``prompt``.
    """

    pattern: Id | None = None
    prompt: Annotated[str, Field(min_length=1, max_length=LONGEST_PROMPT)] | None = None
    prompt_file: Annotated[str | None, Field(min_length=1, max_length=400, exclude=True)] = None

    @model_validator(mode="after")
    def _one_source(self) -> PromptedSpec:
        if sum(source is not None for source in (self.pattern, self.prompt, self.prompt_file)) > 1:
            raise ValueError("give only one of 'pattern', 'prompt' and 'prompt_file'")
        return self

    def beside(self, folder: Path) -> Self:
        """Return the spec with its ``prompt_file`` read, and warn of a ``prompt`` that is the name of a file.

        Raises:
            InputError: the file cannot be read, is empty, or holds hidden characters.
        """
        if self.prompt is not None and is_file(folder / self.prompt):
            name = quote(self.prompt)
            warnings.warn(
                f"candidate {self.name!r}: the prompt is the text {name}, which is also a file; did you mean "
                f"prompt_file: {name}?",
                stacklevel=2,
            )
        if self.prompt_file is None:
            return self
        path = folder / self.prompt_file
        written = decode(read_bytes(path), str(path))
        text = written.strip()
        faults = [Fault(str(path), message, line, column) for line, column, message in hidden_in(written)]
        if not 0 < len(text) <= LONGEST_PROMPT:
            message = f"a prompt has 1 to {LONGEST_PROMPT:,} characters, this one {len(text):,}; is it the right file?"
            faults.append(Fault(str(path), message))
        if faults:
            raise InputError(faults)
        return self.model_copy(update={"prompt": text, "prompt_file": None})


class SystemPromptSpec(PromptedSpec):
    """A system prompt at the start.

    ``examples``: the pattern's example exchanges follow it, as turns, or in the system message where the model's chat
    template bears no such turns: the prompt that steers training dialogues.
    """

    kind: Literal["system_prompt"] = "system_prompt"
    examples: bool | None = None

    @model_validator(mode="after")
    def _examples_of_a_pattern(self) -> SystemPromptSpec:
        if self.examples and (self.prompt is not None or self.prompt_file is not None):
            raise ValueError("'examples' are those of a pattern; write your own into your own prompt")
        return self


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

    def retrained(self, number: int) -> Self:
        return super().retrained(number).model_copy(update={"adapter": of_training(self.adapter, number)})

    def adapter_names(self, tasks: Iterable[TaskContext]) -> frozenset[str]:
        return frozenset({self.adapter})


class ExpertsSpec(CandidateSpec):
    """One expert per pattern. ``experts`` maps a pattern id to an adapter's name; the pattern's own id by default."""

    trained = True

    experts: dict[Id, str] = Field(default_factory=dict)
    _training: int = PrivateAttr(1)  # whose adapters these are

    def retrained(self, number: int) -> Self:
        spec = super().retrained(number)
        spec._training = number
        return spec

    def by_task(self, tasks: Iterable[TaskContext]) -> dict[str, str]:
        """Map each task's id to the name of its expert."""
        named = {task.id: self.experts.get(task.pattern, task.pattern) for task in tasks}
        return {task: of_training(name, self._training) for task, name in named.items()}

    @property
    def _named(self) -> frozenset[str]:
        """The adapters that the study names."""
        return frozenset(of_training(name, self._training) for name in self.experts.values())

    def adapter_names(self, tasks: Iterable[TaskContext]) -> frozenset[str]:
        return self._named  # of the other patterns a router may do without

    def reachable_adapters(self, tasks: Iterable[TaskContext], recognised: Iterable[TaskContext]) -> frozenset[str]:
        return frozenset(self.by_task(recognised).values())


class RoutedSpec(ExpertsSpec):
    """Experts chosen by the recognised task."""

    title = "routed experts"
    kind: Literal["routed"] = "routed"

    @property
    def needs_router(self) -> bool:
        return True


class OracleSpec(ExpertsSpec):
    """Experts chosen by the true task."""

    title = "experts told the task"
    kind: Literal["oracle"] = "oracle"

    def adapter_names(self, tasks: Iterable[TaskContext]) -> frozenset[str]:
        return self._named | frozenset(self.by_task(tasks).values())

    def reachable_adapters(self, tasks: Iterable[TaskContext], recognised: Iterable[TaskContext]) -> frozenset[str]:
        return frozenset(self.by_task(tasks).values())
