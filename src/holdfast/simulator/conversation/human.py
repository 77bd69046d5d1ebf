"""A person at the keyboard in one of the two places of a conversation: the user's, or the assistant's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast.agents.protocols import AssistantView, Message, Reply
from holdfast.agents.raters.protocol import Rating
from holdfast.agents.users.after_reply import after_reply
from holdfast.agents.users.protocol import Felt, Intention, Spoken, UserAgent, UserState
from holdfast.agents.users.rules.agent import appraise_by_rules
from holdfast.agents.users.state import begin_state
from holdfast.personas.schema import Persona

ReadLine = Callable[[], str | None]  # the next message; None: the person ends the talk


class TalkEndedError(Exception):
    """The person at the keyboard ends the talk."""


@dataclass(frozen=True, slots=True)
class HumanUser:
    """A person as the user; implements :class:`holdfast.agents.users.protocol.UserAgent`.

    Nobody knows what the person means, so a message has no feeling, topic or need, and no felt empathy is made up.
    ``persona`` gives the task, and nothing else.
    """

    persona: Persona
    read: ReadLine

    def begin(self, seed: int) -> UserState:
        """Return the state before the first message."""
        return begin_state(self.persona, seed)

    async def speak(self, state: UserState, messages: Sequence[Message], seed: int) -> Spoken:
        """Return the person's next message.

        Raises:
            TalkEndedError: The person ends the talk.
        """
        return Spoken(await _next(self.read), Intention("tell"), state)

    async def feel(self, state: UserState, said: Intention, reply: str, rating: Rating, seed: int) -> Felt:
        """Return the state after a reply, with nothing felt."""
        appraisal = appraise_by_rules(self.persona, state, said, reply, Rating(missing="a person's feeling"), seed)
        return Felt({}, after_reply(state, said, reply, appraisal))


@dataclass(frozen=True, slots=True)
class AloudUser:
    """A user agent whose messages ``show`` gets before anybody replies."""

    user: UserAgent
    show: Callable[[str], None]

    @property
    def persona(self) -> Persona:
        return self.user.persona

    def begin(self, seed: int) -> UserState:
        """Return the state before the first message."""
        return self.user.begin(seed)

    async def speak(self, state: UserState, messages: Sequence[Message], seed: int) -> Spoken:
        """Return the next message, shown already."""
        spoken = await self.user.speak(state, messages, seed)
        self.show(spoken.text)
        return spoken

    async def feel(self, state: UserState, said: Intention, reply: str, rating: Rating, seed: int) -> Felt:
        """Return what the user felt."""
        return await self.user.feel(state, said, reply, rating, seed)


@dataclass(frozen=True, slots=True)
class HumanCandidate:
    """A person as the assistant; implements :class:`holdfast.agents.protocols.Candidate`."""

    read: ReadLine
    name: str = "you"
    knows_task: bool = False

    async def reply(self, view: AssistantView) -> Reply:
        """Return what the person writes. Raises TalkEndedError where it ends the talk."""
        return Reply(await _next(self.read))


async def _next(read: ReadLine) -> str:
    line = read()  # in this thread: nothing else has to go on meanwhile, and Ctrl-C reaches it
    if line is None:
        raise TalkEndedError
    return line
