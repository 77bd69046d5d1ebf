"""When a conversation ends: tiny rules, joined with ``|``.

``MaxTurns(24) | UserLeaves() | Repeats(4)``. A rule looks at the turn that has just finished and
answers with the reason to stop, or None to go on.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.agents.protocols import Message
from holdfast.agents.users.protocol import Felt

USER_LEFT = "user left: "  # before a user's own reason


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """What a rule may look at: the turn that has just finished (from 1), what was felt, all messages so far."""

    turn: int
    felt: Felt
    messages: tuple[Message, ...]


class StopRule:
    """One method to write: :meth:`reason`."""

    def reason(self, moment: TurnEnd) -> str | None:
        """Why the conversation stops here, in a few words; None to go on."""
        raise NotImplementedError

    def __or__(self, other: StopRule) -> StopRule:
        return AnyOf(self, other)


@dataclass(frozen=True, slots=True)
class AnyOf(StopRule):
    """The first reason of the two, left before right."""

    left: StopRule
    right: StopRule

    def reason(self, moment: TurnEnd) -> str | None:
        return self.left.reason(moment) or self.right.reason(moment)


@dataclass(frozen=True, slots=True)
class MaxTurns(StopRule):
    """The agreed length is reached."""

    turns: int

    def reason(self, moment: TurnEnd) -> str | None:
        return "max turns" if moment.turn >= self.turns else None


@dataclass(frozen=True, slots=True)
class UserLeaves(StopRule):
    """The user has had enough, or is done; the reason is the user's own."""

    def reason(self, moment: TurnEnd) -> str | None:
        return f"{USER_LEFT}{moment.felt.leave}" if moment.felt.leave else None


@dataclass(frozen=True, slots=True)
class Repeats(StopRule):
    """The assistant has said the same words ``times`` times in a row: a loop that nobody will leave."""

    times: int = 4

    def reason(self, moment: TurnEnd) -> str | None:
        replies = [message.content for message in moment.messages if message.role == "assistant"]
        last = replies[-self.times :]
        return "repeated loop" if len(last) == self.times and len(set(last)) == 1 else None


def stop_rule(turns: int, *, leave: bool) -> StopRule:
    """The agreed length; where users may ``leave``, also their own leaving and a loop of four equal replies."""
    return MaxTurns(turns) | UserLeaves() | Repeats(4) if leave else MaxTurns(turns)
