"""One turn of a conversation: the user speaks, an assistant replies, raters score the reply, the user feels it.

The conversation graph of a study, the steering of training dialogues, and the drawing of preference pairs all call
these functions and differ only in where the reply comes from.

::

    opened = await open_turn(user, state, messages, seed)           the user's message
    reply = …                                                       a candidate's, or the best of several
    ratings = await rate_reply(raters, opened.messages, reply)
    turn = await close_turn(user, opened, reply, ratings, seed)     what the user felt, the state after it
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.agents.protocols import Felt, Message, Spoken, UserAgent, UserState
from holdfast.agents.raters.protocol import Passage, Rater, Rating, primary_of


@dataclass(frozen=True, slots=True)
class OpenedTurn:
    """A turn that waits for its reply. ``messages``: the conversation, the user's new message last."""

    spoken: Spoken
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """A finished turn.

    Attributes:
        opened: The user's message and the conversation up to it.
        reply: The assistant's message.
        ratings: Rater's name to its rating, the primary rater's first.
        felt: What the user felt, and its state afterwards.
    """

    opened: OpenedTurn
    reply: str
    ratings: Mapping[str, Rating]
    felt: Felt

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation, the reply last."""
        return (*self.opened.messages, Message("assistant", self.reply))

    @property
    def goals_served(self) -> tuple[str, ...]:
        """Ids of the goals that were open before the reply and are met after it."""
        left = frozenset(self.felt.state.goals_left)
        return tuple(goal for goal in self.opened.spoken.state.goals_left if goal not in left)


async def open_turn(user: UserAgent, state: UserState, messages: Sequence[Message], seed: int) -> OpenedTurn:
    """Return the turn that the user's next message opens."""
    spoken = await user.speak(state, messages, seed)
    return OpenedTurn(spoken, (*messages, Message("user", spoken.text)))


async def rate_reply(raters: Mapping[str, Rater], messages: Sequence[Message], reply: str) -> dict[str, Rating]:
    """Rate a reply by all raters at once. ``messages``: the conversation up to the message that is answered.

    Returns:
        The ratings in the order of ``raters``; a missing rating says why.
    """
    passage = [Passage((*messages, Message("assistant", reply)))]
    if len(raters) == 1:  # a task of its own would cost more than the rating
        ((name, rater),) = raters.items()
        return {name: (await rater.rate(passage))[0]}
    answers = await asyncio.gather(*(rater.rate(passage) for rater in raters.values()))
    return {name: rating for name, (rating,) in zip(raters, answers, strict=True)}


async def close_turn(user: UserAgent, opened: OpenedTurn, reply: str, ratings: Mapping[str, Rating], seed: int) -> Turn:
    """Return the finished turn: what the user felt about the reply, given the primary rater's rating."""
    spoken = opened.spoken
    felt = await user.feel(spoken.state, spoken.said, reply, primary_of(ratings), seed)
    return Turn(opened, reply, ratings, felt)
