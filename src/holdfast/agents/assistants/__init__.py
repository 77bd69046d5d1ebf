"""Candidates: the assistants under test. Frozen, stateless, and told only what an assistant may know.

Beside :class:`holdfast.agents.protocols.Candidate`, each gives the ``prompt_hashes`` (name -> SHA-256) of what it may
put before the conversation; a run's provenance keeps them.
"""

from typing import Protocol

from holdfast.agents.assistants.base import BareModel
from holdfast.agents.assistants.experts import Adapter, Oracle, Routed
from holdfast.agents.assistants.prompting import SystemPrompts, own_prompt, pattern_prompts
from holdfast.agents.assistants.router import Router
from holdfast.agents.assistants.system_prompt import SystemPrompt
from holdfast.agents.protocols import Candidate


class DescribedCandidate(Candidate, Protocol):
    """A candidate that says what it is made of."""

    @property
    def prompt_hashes(self) -> dict[str, str]: ...


__all__ = [
    "Adapter",
    "BareModel",
    "DescribedCandidate",
    "Oracle",
    "Routed",
    "Router",
    "SystemPrompt",
    "SystemPrompts",
    "own_prompt",
    "pattern_prompts",
]
