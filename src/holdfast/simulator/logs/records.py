"""The common form of all logs: conversations of messages, with labels from people or simulators."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from holdfast.agents.protocols import SENSE7, Role

End = Literal["", "success", "failure"]

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
    """One message. ``labels``: numbers in the data; on a user's message they judge the turn before.

    ``tag``: a tactic that the data name ("Questions"). ``chars``: its length where a log holds no text (nan where that
    is unknown too), else None. ``thoughts``: what a model thought and did not say. ``missing``: why there is no text,
    where the log says so (a call of a tool, a filter); "" where there is text.
    """

    role: Role
    text: str
    labels: Mapping[str, float] = field(default_factory=dict)
    tag: str = ""
    chars: float | None = None
    thoughts: str = ""
    missing: str = ""

    @property
    def length(self) -> float:
        """Characters, since not all languages separate words by spaces; nan where unknown."""
        return len(self.text) if self.chars is None else self.chars


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation. ``speaker``: the user, "" where unknown; intervals are clustered by speaker.

    ``columns``: other values of the log, to group by. ``labels``: given afterwards to the conversation as a whole.
    ``planned``: turns that it would have had if nobody had left, None where nothing was planned.
    ``end``: whether the user ended satisfied or left in failure, where the log says so. ``source``: the file that it
    came from, as it is shown. ``namesake``: the id in the log, where an earlier conversation has the same one.
    """

    id: str
    place: str
    messages: tuple[LogMessage, ...]
    speaker: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, float] = field(default_factory=dict)
    planned: int | None = None
    end: End = ""
    source: str = ""
    namesake: str = ""
