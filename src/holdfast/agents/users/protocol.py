"""The user agent protocol: a persona in one conversation, and the values that it takes and gives.

Implementations are frozen and hold no changing state: a user agent's memory is a :class:`UserState` that the
conversation carries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import Rating
from holdfast.personas.schema import Persona


@dataclass(frozen=True, slots=True)
class Intention:
    """What the user's message is about, for measuring whether the reply answers it."""

    kind: Literal["open", "feel", "ask", "tell", "repeat", "thank", "close"]
    feeling: str | None = None
    topic: str | None = None
    need: str | None = None
    goal: str | None = None  # id of the goal that the message asks about


@dataclass(frozen=True, slots=True)
class UserState:
    """A user agent's state in a conversation; bounded, JSON-serialisable (:mod:`holdfast.agents.users.state`)."""

    emotion: float  # 0-100
    momentum: float  # last change of emotion
    goals_left: tuple[str, ...]
    feelings_left: tuple[str, ...]
    topics_left: tuple[str, ...]
    desired: float  # desired empathy on the perceived scale, 1-5
    felt_mean: float  # running mean of felt empathy over the turns so far; nan before the first
    turns: int = 0
    poor_turns: int = 0  # poor turns in a row
    ignored: int = 0  # replies in a row that passed over the last need or feeling
    last_said: Intention | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spoken:
    """The user's message, its intention, and the state after it."""

    text: str
    said: Intention
    state: UserState


@dataclass(frozen=True, slots=True)
class Felt:
    """The user's reaction to a reply. ``dimensions``: its appraisal, SENSE-7, 1-5 each; ``leave``: why it leaves, or
    None."""

    dimensions: Mapping[str, float]
    state: UserState
    leave: str | None = None


class UserAgent(Protocol):
    """A persona in one conversation. Pure: same persona, state and seed give the same words."""

    @property
    def persona(self) -> Persona: ...

    def begin(self, seed: int) -> UserState: ...

    async def speak(self, state: UserState, messages: Sequence[Message], seed: int) -> Spoken: ...

    async def feel(self, state: UserState, said: Intention, reply: str, rating: Rating, seed: int) -> Felt:
        """Return the user's reaction. ``rating``: the primary rater's; embedded users appraise by its levels."""
        ...
