"""Who meets in one conversation, and how its state starts, anew or from the turns that a journal kept."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from langchain_core.callbacks import Callbacks

from holdfast.agents.protocols import Candidate, Message, Reply
from holdfast.agents.raters.protocol import Rater
from holdfast.agents.turn import OpenedTurn
from holdfast.agents.users.protocol import UserAgent, UserState
from holdfast.agents.users.state import state_from_json
from holdfast.personas.schema import TaskContext
from holdfast.simulator.conversation.stop import StopRule
from holdfast.simulator.records import EpisodeSpec, TurnRecord, derive_seed


class ConversationState(TypedDict, total=False):
    """What walks along the graph. Values are replaced, never appended to, so nothing in it grows but ``messages``."""

    turn: int  # finished turns
    messages: tuple[Message, ...]
    user: UserState
    opened: OpenedTurn | None  # the user's newest message; None once its reply is rated and felt
    reply: Reply | None  # None once the user has felt it
    stop: str | None


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Participants:
    """The people of one conversation and the terms on which they meet: the graph's runtime context."""

    spec: EpisodeSpec
    task: TaskContext
    user: UserAgent
    candidate: Candidate
    raters: Mapping[str, Rater]  # by name, the primary one first
    stop: StopRule
    on_turn: Callable[[TurnRecord], Awaitable[None]]  # called once per finished turn, before the next one starts
    study_seed: int = 0
    desired: float | None = None  # the user's expectation, 1-5, where a population has moved it
    halted: Callable[[], bool] = _never  # True: go no further than the turn in hand
    callbacks: Callbacks = None  # LangChain handlers that hear of the conversation, its nodes and its model calls

    def user_seed(self, turn: int, role: str) -> int:
        """The same against every candidate: common random numbers."""
        return derive_seed(self.study_seed, self.spec.user_key, turn, role)

    def candidate_seed(self, turn: int) -> int:
        return derive_seed(self.study_seed, self.spec.id, turn, "reply")


def opening(participants: Participants) -> ConversationState:
    """The state before the first turn."""
    user = participants.user.begin(participants.user_seed(0, "begin"))
    if participants.desired is not None:
        user = replace(user, desired=participants.desired)
    return {"turn": 0, "messages": (), "user": user, "stop": None}


def reopening(participants: Participants, turns: Sequence[TurnRecord]) -> ConversationState:
    """The state after ``turns``, as if the conversation had never been broken off."""
    if not turns:
        return opening(participants)
    pairs = [(Message("user", turn.user), Message("assistant", turn.reply)) for turn in turns]
    last = turns[-1]
    messages = tuple(message for pair in pairs for message in pair)
    return {"turn": last.turn, "messages": messages, "user": state_from_json(last.state), "stop": last.stop}
