"""The plain records that walk through the simulator: what an episode is, what a turn left behind.

The conversation makes them, the journal keeps them, measurement and report read them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.agents.protocols import Outcome
from holdfast.agents.raters.protocol import Rating, primary_of
from holdfast.agents.users.protocol import Intention
from holdfast.core.seeds import derive_seed

__all__ = ["EpisodeRecord", "EpisodeSpec", "TurnRecord", "derive_seed"]


@dataclass(frozen=True, slots=True)
class EpisodeSpec:
    """One conversation to hold. Everything random in it is derived from the study's seed and ``id``."""

    persona: str
    task: str
    candidate: str
    replicate: int  # numbered from 1; the same persona x replicate meets every candidate
    max_turns: int
    round: int = 0
    agent: str = ""  # id in the population; the persona's id where there is none
    simulator: str = ""  # who plays the persona, by name; "" for the embedded users

    @property
    def id(self) -> str:
        """Readable and unique in a study: ``candidate/agent-or-persona/replicate/max_turns/round``, and ``/simulator``
        unless the embedded users play."""
        return f"{self.candidate}/{self.user_key}"

    @property
    def user_key(self) -> str:
        """The same for all candidates that meet this user: seeds the user's draws (common random numbers)."""
        key = f"{self.agent or self.persona}/{self.replicate}/{self.max_turns}/{self.round}"
        return f"{key}/{self.simulator}" if self.simulator else key


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One finished turn: a user message and the reply to it, numbered from 1."""

    episode_id: str
    turn: int
    user: str
    said: Intention
    reply: str  # "" where there was none: ``outcome`` says what there was instead
    ratings: Mapping[str, Rating]  # by rater, the primary one first, feelers last
    felt: Mapping[str, float]  # by the user's own appraisal: SENSE-7, 1-5; a dimension that is unknown is absent
    emotion: float  # the user's, 0-100, after the reply
    state: Mapping[str, Any]  # UserState as JSON after this turn: resume starts from here
    adapter: str | None = None
    recognised_task: str | None = None
    stop: str | None = None  # why the conversation ended here, or None
    tokens: tuple[int, int] = (0, 0)  # prompt, completion
    goals_served: tuple[str, ...] = ()  # ids of the persona's goals that this turn's reply met
    thoughts: str = ""  # what the candidate thought before it replied; nobody heard or rated it
    outcome: Outcome = "answered"
    calls: int = 1  # requests to models that the reply took
    kept: str = ""  # what an application did beside its reply: tool calls, and what it wants kept

    @property
    def primary(self) -> Rating:
        """The primary rater's rating."""
        return primary_of(self.ratings)


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """A whole conversation as measurement sees it. ``error``: the cause, where it failed."""

    spec: EpisodeSpec
    turns: tuple[TurnRecord, ...] = field(default_factory=tuple)
    error: str | None = None

    @property
    def unfinished(self) -> bool:
        """Whether more turns are to come: it neither failed nor met a rule that ends conversations."""
        return self.error is None and (not self.turns or self.turns[-1].stop is None)
