"""The protocols of models and candidates, and the values between a conversation's parties.

Implementations are frozen and hold no changing state. Every random draw is seeded by (study seed, episode, turn), so a
resumed run equals an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from holdfast.personas.schema import TaskContext

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "refusal"]
#: What became of a request. Only "answered" is a whole answer; the others may have text all the same, a cut one mostly.
Outcome = Literal[
    "answered", "cut", "filtered", "refusal", "tool call", "thoughts only", "empty", "unknown shape",
]  # fmt: skip

#: SENSE-7's dimensions of perceived empathy, 1-5 each (Suh et al. 2025).
SENSE7: tuple[str, ...] = (
    "affective_understanding",
    "cognitive_understanding",
    "response_appropriateness",
    "prosocial_expression",
    "interest",
    "contextual_understanding",
    "relational_continuity",
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, as a chat template takes it."""

    role: Role
    content: str

    def as_dict(self) -> dict[str, str]:
        return {"role": self.role, "content": self.content}


# --- models --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sampling:
    """Decoding parameters; ``temperature`` 0 is greedy."""

    temperature: float = 0.7
    top_p: float = 1.0
    max_tokens: int = 96


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One reply to write.

    Attributes:
        key: Names the conversation, so that a model may keep its KV cache between turns.
        adapter: A name that the model knows; None is the bare base.
        schema: JSON schema of the answer, with a ``title``. A model that knows no schemas answers without.
    """

    key: str
    messages: tuple[Message, ...]
    seed: int
    adapter: str | None = None
    sampling: Sampling = Sampling()
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """What came back.

    Attributes:
        text: What was said, without thoughts; "" where nothing was.
        prompt_tokens: 0 where the server does not say.
        completion_tokens: With those of the thoughts; 0 where the server does not say.
        finish_reason: It stopped by itself, met ``max_tokens``, or declined to answer.
        thoughts: What was thought: never rated, never sent back, never learned from.
        outcome: What the answer is.
        cause: Why there is no text, in words; "" where there is some.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: FinishReason = "stop"
    thoughts: str = ""
    outcome: Outcome = "answered"
    cause: str = ""


class ChatModel(Protocol):
    """A model that writes the next assistant message; may be awaited many times at once."""

    @property
    def id(self) -> str: ...

    async def generate(self, request: GenerationRequest) -> Generation: ...


@runtime_checkable
class KeepsConversations(Protocol):
    """A model that keeps what it read of conversations in this process's memory."""

    def forget(self) -> None: ...


@runtime_checkable
class KeepsSchemas(Protocol):
    """A model that says whether its answers are held to a request's JSON schema."""

    @property
    def keeps_schemas(self) -> bool: ...


def held_to_schemas(model: ChatModel) -> bool:
    """Return whether a model says that its answers are held to a request's JSON schema."""
    return isinstance(model, KeepsSchemas) and model.keeps_schemas


# --- candidates ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AssistantView:
    """All that a candidate may know; never the persona's goals, expectation or state."""

    episode_id: str
    turn: int  # 1-based
    messages: tuple[Message, ...]  # user and assistant messages so far, the user's newest last
    seed: int  # for this turn
    task: TaskContext | None = None  # set only for candidates that declare ``knows_task``


@dataclass(frozen=True, slots=True)
class Reply:
    """A candidate's answer, and which adapter, recognised task, tokens and calls it took.

    ``thoughts``, ``outcome`` and ``cause`` are those of its :class:`Generation`. A reply without text is heard as
    silence and not rated. ``calls`` counts the requests to models that it took, whose tokens are added up. ``kept``:
    what an application did beside its reply, in words; like thoughts, it is heard and rated by nobody.
    """

    text: str
    adapter: str | None = None
    recognised_task: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    thoughts: str = ""
    outcome: Outcome = "answered"
    cause: str = ""
    calls: int = 1
    kept: str = ""


class Candidate(Protocol):
    """An assistant under test. ``knows_task``: whether it may see the task context."""

    @property
    def name(self) -> str: ...

    @property
    def knows_task(self) -> bool: ...

    async def reply(self, view: AssistantView) -> Reply: ...
