"""What a reader could not use, with its place and reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["file", "line", "conversation", "message", "label", "branch", "score"]


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """Something that could not be used. ``place``: file:line; ``reason``: one of a few, to count by."""

    place: str
    kind: Kind
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that cannot be used. ``cells``: what could be read of it, to tell to which conversation it belongs."""

    skip: SkippedLine
    cells: Mapping[str, Any] = field(default_factory=dict)


def parted(fault: str) -> tuple[str, str]:
    """Return the reason of a fault, and its detail that stands in brackets after it."""
    reason, _, detail = fault.partition(" (")
    return reason, detail.removesuffix(")")
