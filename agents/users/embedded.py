"""The embedded user agent: a persona at work in one conversation, without any model.

Registry word: ``embedded``. It speaks through a grammar (:mod:`agents.users.speech`), listens by plain rules
(:mod:`agents.users.hearing`), and feels by the formulas of :mod:`agents.users.appraisal` and
:mod:`agents.users.emotion`. What it says is made of feelings, topics and needs only; its expectation, its background
and its state never reach its words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agents.protocols import Expressed, Felt, Message, Said, Spoken, UserState
from agents.users.appraisal import POOR, acknowledges, appraise, overall, satisfaction, serves
from agents.users.emotion import next_emotion
from agents.users.hearing import listen, sentence_digests
from agents.users.intention import next_said
from agents.users.speech import Tone, say
from agents.users.state import begin_state
from agents.users.tone import tone_of
from personas.schema import Persona

#: With every goal met, a user whose last reply satisfied it this much is done.
DONE = 0.6


@dataclass(frozen=True, slots=True)
class EmbeddedUser:
    """A persona that speaks and feels by rules; implements :class:`agents.protocols.UserAgent`."""

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
        heard = listen(said, reply, state.extra.get("reply", ()))
        dimensions = appraise(expressed, heard)
        perceived = overall(dimensions)
        pleased = satisfaction(perceived, state.desired, heard)
        served = serves(heard, expressed, state.desired)
        emotion, change = next_emotion(state.emotion, state.momentum, pleased, self.persona.temperament, seed)
        after = replace(
            state,
            emotion=emotion,
            momentum=change,
            goals_left=self._goals_left(state, said) if served else state.goals_left,
            felt_mean=_running_mean(state.felt_mean, perceived, state.turns),
            turns=state.turns + 1,
            poor_turns=state.poor_turns + 1 if pleased < POOR else 0,
            ignored=0 if (served if heard.asked else acknowledges(heard, expressed)) else state.ignored + 1,
            extra={**state.extra, "reply": sentence_digests(reply), "satisfaction": round(pleased, 4)},
        )
        return Felt(dimensions, after, self._reason_to_leave(after))

    def _goals_left(self, state: UserState, said: Said) -> tuple[str, ...]:
        """The goals left once the need and topic of ``said`` were served."""
        met = {goal.id for goal in self.persona.goals if (goal.need, goal.topic) == (said.need, said.topic)}
        return tuple(goal for goal in state.goals_left if goal not in met)

    def _reason_to_leave(self, state: UserState) -> str | None:
        if state.poor_turns >= self.persona.patience:
            return f"patience ran out after {state.poor_turns} poor turns in a row"
        if not state.goals_left and state.extra["satisfaction"] >= DONE:
            return "every goal is met and the user is satisfied"
        return None


def _running_mean(mean: float, value: float, count: int) -> float:
    return value if math.isnan(mean) else mean + (value - mean) / (count + 1)
