"""The embedded user agent: a persona played by rules, without a model. Registry word: ``embedded``.

It speaks through a grammar (:mod:`holdfast.agents.users.rules.speech`) or in the persona's own words
(:mod:`holdfast.agents.users.rules.natural`), reads replies by word rules
(:mod:`holdfast.agents.users.reply_cues`), and feels by the formulas of :mod:`holdfast.agents.users.appraisal` and
:mod:`holdfast.agents.users.emotion`. Its messages contain feelings, topics and needs only; never its expectation,
background or state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import Rating
from holdfast.agents.users.after_reply import Appraisal, after_reply, reason_to_leave
from holdfast.agents.users.appraisal import Expressed, acknowledges, appraise, overall, satisfaction, serves
from holdfast.agents.users.emotion import next_emotion
from holdfast.agents.users.intention import next_intention
from holdfast.agents.users.protocol import Felt, Intention, Spoken, UserState
from holdfast.agents.users.reply_cues import cues_of
from holdfast.agents.users.rules.natural import say_naturally
from holdfast.agents.users.rules.speech import Tone, say, tone_of
from holdfast.agents.users.state import begin_state
from holdfast.personas.schema import Persona


@dataclass(frozen=True, slots=True)
class EmbeddedUser:
    """A persona played by rules; implements :class:`holdfast.agents.users.protocol.UserAgent`."""

    persona: Persona
    say: Callable[[Intention, Tone, int, str], str] = say
    natural: bool = False  # speaks in the words of the persona's story, where it has one

    def begin(self, seed: int) -> UserState:
        """Return the state before the first message; ``seed`` orders what will be disclosed."""
        return begin_state(self.persona, seed)

    async def speak(self, state: UserState, messages: Sequence[Message], seed: int) -> Spoken:
        """Return the next message; the grammar does not read ``messages``, the natural voice reads the last replies."""
        tone = tone_of(self.persona, state)
        said, state = next_intention(self.persona, state, seed)
        if self.natural and self.persona.story is not None:
            return Spoken(*say_naturally(self.persona, said, state, messages, seed))
        return Spoken(self.say(said, tone, seed, self.persona.language), said, state)

    async def feel(self, state: UserState, said: Intention, reply: str, rating: Rating, seed: int) -> Felt:
        """Return SENSE-7 dimensions (1-5), the state after the reply, and a reason to leave, if any."""
        appraisal = appraise_by_rules(self.persona, state, said, reply, rating, seed)
        after = after_reply(state, said, reply, appraisal)
        return Felt(appraisal.dimensions, after, reason_to_leave(self.persona, after))


def appraise_by_rules(
    persona: Persona, state: UserState, said: Intention, reply: str, rating: Rating, seed: int
) -> Appraisal:
    """Return the formulas' appraisal of one reply. An unrated reply leaves dimensions empty and emotion unchanged."""
    cues, levels = cues_of(said, reply, state.extra.get("reply", ()), persona.language), Expressed.of(rating)
    served = serves(cues, levels, state.desired)
    taken_up = served if cues.asked else acknowledges(cues, levels)
    if levels is None:
        return Appraisal({}, state.emotion, 0.0, None, served, taken_up)
    dimensions = appraise(levels, cues)
    pleased = satisfaction(overall(dimensions), state.desired, cues)
    emotion, change = next_emotion(state.emotion, state.momentum, pleased, persona.temperament, seed)
    return Appraisal(dimensions, emotion, change, pleased, served, taken_up)
