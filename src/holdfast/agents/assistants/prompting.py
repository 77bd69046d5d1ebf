"""Which system prompt a candidate speaks under: one fixed text, or the pattern of the task that it was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.agents.prompts import sha256
from holdfast.agents.prompts.pattern import pattern_prompt
from holdfast.agents.protocols import AssistantView
from holdfast.personas.schema import EmpathyPattern


@dataclass(frozen=True, slots=True)
class SystemPrompts:
    """Prompts as they will be sent, written once when the candidate is built.

    ``texts`` maps a pattern id to its prompt. ``fixed`` names the only one to use, whatever the task; where it is
    None the candidate must be told the task, and speaks under the pattern that people expect there.
    """

    texts: Mapping[str, str]
    fixed: str | None = None

    @property
    def needs_task(self) -> bool:
        return self.fixed is None

    def text(self, view: AssistantView) -> str:
        """The system prompt for this conversation."""
        if self.fixed is not None:
            return self.texts[self.fixed]
        if view.task is None:
            raise ValueError("this candidate renders the task's pattern, so it must be told the task")
        return self.texts[view.task.pattern]

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every prompt that may be sent, by pattern id: for a run's provenance."""
        return {name: sha256(text) for name, text in sorted(self.texts.items())}


def pattern_prompts(patterns: Mapping[str, EmpathyPattern], fixed: str | None = None) -> SystemPrompts:
    """Patterns in words; only the pattern ``fixed`` where it is given (a KeyError where there is no such pattern)."""
    chosen = patterns if fixed is None else {fixed: patterns[fixed]}
    return SystemPrompts({name: pattern_prompt(pattern) for name, pattern in chosen.items()}, fixed)


def own_prompt(text: str) -> SystemPrompts:
    """A prompt in the user's own words, under the name ``own``."""
    return SystemPrompts({"own": text}, "own")
