"""One shape for every log: conversations of messages, with whatever labels people or simulators gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from holdfast.agents.protocols import SENSE7, Role

End = Literal["", "success", "failure"]
Kind = Literal["file", "line", "conversation", "message", "label"]

#: Label -> (lowest, highest). Labels that are not named here may be any finite number below 1e9.
SCALES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(SENSE7, (1.0, 5.0)),
    "emotion": (0.0, 100.0),
    "empathy": (1.0, 5.0),
    "feedback": (1.0, 5.0),
    "desired": (1.0, 5.0),
}


@dataclass(frozen=True, slots=True)
class LogMessage:
    """One message. ``labels``: numbers that the data give it; on a user's message they judge the turn before.

    ``tag``: a tactic that the data name ("Questions"). ``chars``: its length where a log keeps no text (nan where it
    does not tell that either), else None.
    """

    role: Role
    text: str
    labels: Mapping[str, float] = field(default_factory=dict)
    tag: str = ""
    chars: float | None = None

    @property
    def length(self) -> float:
        """Characters; not words, which languages without spaces do not show. nan where unknown."""
        return len(self.text) if self.chars is None else self.chars


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation. ``speaker``: who the user was, "" where unknown; intervals keep a speaker's talks together.

    ``columns``: what a log says besides, to group by. ``labels``: given to the conversation as a whole, afterwards.
    ``planned``: turns that it would have had if nobody had left, None where nothing was planned.
    ``end``: why it ended, where the log tells: the user was won, or left in failure.
    """

    id: str
    place: str
    messages: tuple[LogMessage, ...]
    speaker: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, float] = field(default_factory=dict)
    planned: int | None = None
    end: End = ""


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """Something that could not be used. ``place``: file:line; ``reason``: one of few words, to count by."""

    place: str
    kind: Kind
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" + (f" ({self.detail})" if self.detail else "")
