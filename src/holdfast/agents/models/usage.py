"""Count requests, tokens and cost of a served model, for progress, budgets and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from holdfast.agents.models.spec import Prices
from holdfast.agents.protocols import Generation

_COUNTS = ("requests", "answered", "cached", "failed", "pauses", "prompt_tokens", "completion_tokens")


@dataclass
class Usage:
    """Totals of this process. ``retries``: by cause, as ``served.failures.TransientError`` names it.

    ``notices``: what a user should know at present, by what it is about: an endpoint that is waited for and why, a
    setting that a model does not take.
    """

    prices: Prices | None = None
    requests: int = 0  # asked for by conversations
    answered: int = 0
    cached: int = 0  # of those, found in the response cache
    failed: int = 0  # given up
    retries: Counter[str] = field(default_factory=Counter)
    pauses: int = 0  # how often the circuit breaker opened
    prompt_tokens: int = 0
    completion_tokens: int = 0
    notices: dict[str, str] = field(default_factory=dict)

    def answer(self, generation: Generation) -> None:
        """Count one answer and its tokens."""
        self.answered += 1
        self.prompt_tokens += generation.prompt_tokens
        self.completion_tokens += generation.completion_tokens

    def take(self) -> Usage:
        """Return the counts and reset them, so that another process can add them to its own."""
        taken = replace(self, notices=dict(self.notices))
        for name in _COUNTS:
            setattr(self, name, 0)
        self.retries = Counter()
        return taken

    def add(self, more: Usage) -> None:
        """Add counts of another process for the same model."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(more, name))
        self.retries.update(more.retries)
        self.notices = more.notices

    @property
    def cost_usd(self) -> float:
        """The cost in US dollars; 0 without prices."""
        prices = self.prices or Prices()
        return (self.prompt_tokens * prices.prompt + self.completion_tokens * prices.completion) / 1e6

    def counters(self) -> Mapping[str, float]:
        """Return all counts by name."""
        counts: dict[str, float] = {
            "requests": self.requests,
            "answered": self.answered,
            "cached": self.cached,
            "failed": self.failed,
            "retries": self.retries.total(),
            "pauses": self.pauses,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
        }
        counts |= {f"retries: {cause}": count for cause, count in sorted(self.retries.items())}
        return counts | ({} if self.prices is None else {"cost_usd": self.cost_usd})


@runtime_checkable
class CountsUsage(Protocol):
    """A model that counts its usage."""

    @property
    def usage(self) -> Usage: ...
