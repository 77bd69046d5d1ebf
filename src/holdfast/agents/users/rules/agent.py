"""The embedded user agent: a persona at work in one conversation, without any model.

Registry word: ``embedded``. It speaks through a grammar (:mod:`holdfast.agents.users.rules.speech`), listens by plain rules
(:mod:`holdfast.agents.users.listening`), and feels by the formulas of :mod:`holdfast.agents.users.appraisal` and
:mod:`holdfast.agents.users.emotion`. What it says is made of feelings, topics and needs only; its expectation, its background
and its state never reach its words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast.agents.protocols import Expressed, Felt, Message, Said, Spoken, UserState
from holdfast.agents.users.after_reply import Verdict, after_reply, reason_to_leave
from holdfast.agents.users.appraisal import acknowledges, appraise, overall, satisfaction, serves
from holdfast.agents.users.emotion import next_emotion
from holdfast.agents.users.listening import listen
from holdfast.agents.users.intention import next_said
from holdfast.agents.users.rules.speech import Tone, say
from holdfast.agents.users.state import begin_state
from holdfast.agents.users.tone import tone_of
from holdfast.personas.schema import Persona


@dataclass(frozen=True, slots=True)
class EmbeddedUser:
    """A persona that speaks and feels by rules; implements :class:`holdfast.agents.protocols.UserAgent`."""

    persona: Persona
    say: Callable[[Said, Tone, int], str] = say

    def begin(self, seed: int) -> UserState:
        """The state before the first message; ``seed`` orders what will be disclosed."""
        return begin_state(self.persona, seed)

    async def speak(self, state: UserState, messages: Sequence[Message], seed: int) -> Spoken:
        """The next message. ``messages`` is not read: what the user remembers is in ``state``."""
        tone = tone_of(self.persona, state)
        said, state = next_said(self.persona, state, seed)
        return Spoken(self.say(said, tone, seed), said, state)

    async def feel(self, state: UserState, said: Said, reply: str, expressed: Expressed, seed: int) -> Felt:
        """What the reply did: SENSE-7 dimensions (1-5), the state after it, and a reason to leave, if any."""
        verdict = judge(self.persona, state, said, reply, expressed, seed)
        after = after_reply(self.persona, state, said, reply, verdict)
        return Felt(verdict.dimensions, after, reason_to_leave(self.persona, after))


def judge(persona: Persona, state: UserState, said: Said, reply: str, expressed: Expressed, seed: int) -> Verdict:
    """The embedded appraisal of one reply: by the formulas alone."""
    heard = listen(said, reply, state.extra.get("reply", ()))
    dimensions = appraise(expressed, heard)
    pleased = satisfaction(overall(dimensions), state.desired, heard)
    served = serves(heard, expressed, state.desired)
    emotion, change = next_emotion(state.emotion, state.momentum, pleased, persona.temperament, seed)
    taken_up = served if heard.asked else acknowledges(heard, expressed)
    return Verdict(dimensions, emotion, change, pleased, served, taken_up)
