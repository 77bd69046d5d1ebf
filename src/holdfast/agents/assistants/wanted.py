"""Which empathy a reply should show: a given pattern, that of the recognised task, or that of the true one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import model_validator

from holdfast.agents.assistants.candidates import Router
from holdfast.agents.assistants.specs import CandidateSpec
from holdfast.agents.prompts import pattern_prompt
from holdfast.agents.protocols import AssistantView, Message
from holdfast.core.errors import ModelError
from holdfast.core.hashing import sha256
from holdfast.personas.schema import EmpathyPattern, Id


class WantingSpec(CandidateSpec):
    """A kind that aims at a pattern: ``pattern`` always, or that of the conversation's task.

    ``recognise``: the run's router says which task it is; otherwise the candidate is told. ``with_prompt``: the model
    gets the pattern in words too, as ``system_prompt`` sends it.
    """

    pattern: Id | None = None
    recognise: bool = False
    with_prompt: bool = False

    @property
    def needs_router(self) -> bool:
        return self.recognise

    @model_validator(mode="after")
    def _one_way_to_a_pattern(self) -> WantingSpec:
        if self.pattern is not None and self.recognise:
            raise ValueError("give only one of 'pattern' and 'recognise'")
        return self


class WantedEmpathy(NamedTuple):
    """What one conversation wants. ``opening``: the system message that says so; none without ``with_prompt``."""

    pattern: EmpathyPattern
    recognised_task: str | None
    opening: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class WantedPattern:
    """Chooses the pattern of a conversation.

    ``of_task``: task's id -> its pattern's. ``fixed``: the only pattern, whatever the task. ``router`` recognises the
    task from the user's messages so far; without it, and without ``fixed``, the candidate must be told the task.
    """

    patterns: Mapping[str, EmpathyPattern]
    of_task: Mapping[str, str] = field(default_factory=dict)
    fixed: str | None = None
    router: Router | None = None
    prompted: bool = False

    @property
    def needs_task(self) -> bool:
        return self.fixed is None and self.router is None

    def of(self, view: AssistantView) -> WantedEmpathy:
        """Return what this conversation wants.

        Raises:
            ModelError: the router names a task that has no pattern.
            ValueError: the candidate must be told the task, and the view has none.
        """
        name, recognised = self.fixed, None
        if name is None and self.router is not None:
            said = [message.content for message in view.messages if message.role == "user"]
            recognised = self.router.recognise(said)
            if recognised not in self.of_task:
                raise ModelError(f"the router named the task {recognised!r}; known are {sorted(self.of_task)}")
            name = self.of_task[recognised]
        elif name is None:
            if view.task is None:
                raise ValueError("this candidate aims at the task's pattern, so it must be told the task")
            name = view.task.pattern
        pattern = self.patterns[name]
        opening = (Message("system", pattern_prompt(pattern)),) if self.prompted else ()
        return WantedEmpathy(pattern, recognised, opening)

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every system prompt that may be sent, by pattern id."""
        chosen = sorted(self.patterns if self.fixed is None else [self.fixed])
        return {name: sha256(pattern_prompt(self.patterns[name])) for name in chosen} if self.prompted else {}
