"""System prompts of candidates: one fixed text, or the pattern of the conversation's task."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.agents.prompts import pattern_prompt
from holdfast.agents.protocols import AssistantView
from holdfast.core.hashing import sha256
from holdfast.personas.schema import EmpathyPattern


@dataclass(frozen=True, slots=True)
class SystemPrompts:
    """Prompts as they are sent, written once when the candidate is built.

    ``texts`` maps a pattern id to its prompt. ``fixed`` names the only one to use, whatever the task; where it is None,
    the prompt is that of the task's pattern, and the candidate must know the task.
    """

    texts: Mapping[str, str]
    fixed: str | None = None

    @property
    def needs_task(self) -> bool:
        return self.fixed is None

    def text(self, view: AssistantView) -> str:
        """Return the system prompt for this conversation.

        Raises:
            ValueError: The prompt depends on the task, and the view has none.
        """
        if self.fixed is not None:
            return self.texts[self.fixed]
        if view.task is None:
            raise ValueError("this candidate renders the task's pattern, so it must be told the task")
        return self.texts[view.task.pattern]

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every prompt that may be sent, by pattern id."""
        return {name: sha256(text) for name, text in sorted(self.texts.items())}


def pattern_prompts(patterns: Mapping[str, EmpathyPattern], fixed: str | None = None) -> SystemPrompts:
    """Write patterns as prompts; only the pattern ``fixed`` where it is given.

    Raises:
        KeyError: There is no pattern ``fixed``.
    """
    chosen = patterns if fixed is None else {fixed: patterns[fixed]}
    return SystemPrompts({name: pattern_prompt(pattern) for name, pattern in chosen.items()}, fixed)


def own_prompt(text: str) -> SystemPrompts:
    """Wrap a prompt in the user's own words, under the name ``own``."""
    return SystemPrompts({"own": text}, "own")
