"""One turn of a conversation: the user speaks, an assistant replies, raters score the reply, the user appraises it.

The conversation graph of a study, the steering of training dialogues, and the drawing of preference pairs all call
these functions and differ only in where the reply comes from.

::

    opened = await open_turn(user, state, messages, seed)           the user's message
    reply = …                                                       a candidate's, or the best of several
    ratings = await rate_reply(raters, opened.messages, reply)      disqualified, with the cause, where it is no reply
    turn = await close_turn(user, opened, reply, ratings, seed)     what the user makes of it, the state after it
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from holdfast.agents.message_content import repaired, split_thoughts
from holdfast.agents.protocols import Message, Reply
from holdfast.agents.raters.gate.rater import silence
from holdfast.agents.raters.protocol import Passage, Rater, Rating, primary_of
from holdfast.agents.users.protocol import Felt, Spoken, UserAgent, UserState


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


def as_heard(reply: Reply) -> Reply:
    """Return a candidate's reply as the user hears it: thoughts apart, and text that can be kept.

    The models do this themselves; candidates of other makers may not.
    """
    text = repaired(reply.text)
    speech, thoughts, tool_calls = split_thoughts(text)
    thoughts = "\n\n".join(filter(None, (repaired(reply.thoughts), thoughts)))
    if (speech, thoughts) != (reply.text, reply.thoughts):
        reply = replace(reply, text=speech, thoughts=thoughts)
    if speech.strip() or reply.cause:
        return reply
    if tool_calls:
        return replace(reply, outcome="tool call", cause=f"a tool call ({', '.join(tool_calls)})")
    if thoughts:
        return replace(reply, outcome="thoughts only", cause="thoughts only")
    return replace(reply, outcome="empty", cause="an empty message")


async def rate_reply(
    raters: Mapping[str, Rater], messages: Sequence[Message], reply: str, cause: str = ""
) -> dict[str, Rating]:
    """Rate a reply by all raters at once; one without text by none: it is disqualified.

    Args:
        raters: By name, the primary one first.
        messages: The conversation up to the message that is answered.
        reply: The reply's text.
        cause: Why it has none, where it has none.

    Returns:
        The ratings in the order of ``raters``; one that is missing or of a disqualified reply says why.
    """
    if not reply.strip():
        return dict.fromkeys(raters, silence(cause))
    passage = [Passage((*messages, Message("assistant", reply)))]
    if len(raters) == 1:  # a task of its own would cost more than the rating
        ((name, rater),) = raters.items()
        return {name: (await rater.rate(passage))[0]}
    answers = await asyncio.gather(*(rater.rate(passage) for rater in raters.values()))
    return {name: rating for name, (rating,) in zip(raters, answers, strict=True)}


async def close_turn(
    user: UserAgent,
    opened: OpenedTurn,
    reply: str,
    ratings: Mapping[str, Rating],
    seed: int,
    guide: str | None = None,
) -> Turn:
    """Return the finished turn: what the user felt about the reply, given the primary rater's rating, or the
    ``guide``'s (:func:`holdfast.agents.raters.protocol.guide`)."""
    spoken = opened.spoken
    rating = primary_of(ratings) if guide is None else ratings[guide]
    felt = await user.feel(spoken.state, spoken.said, reply, rating, seed)
    return Turn(opened, reply, ratings, felt)
