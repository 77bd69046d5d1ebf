"""Scripted talks with a persona played by rules: what it says, whether it would leave, and what it feels."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.agents.protocols import Message
from holdfast.agents.users.effects.scripts import ReplyScript
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.agents.users.state import closing
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Persona


@dataclass(frozen=True, slots=True)
class TalkTrace:
    """One talk: the user's messages, and after each reply its appraisal, emotion, satisfaction, number of goals left.

    ``leaves``: whether it would leave after each reply. It stays: a talk has as many turns whatever its patience.
    """

    messages: tuple[str, ...]
    leaves: tuple[bool, ...]
    feelings: tuple[tuple[object, ...], ...]


async def held_talk(
    persona: Persona, script: ReplyScript, seed: int, *, natural: bool, until_unlike: Sequence[str] = ()
) -> TalkTrace:
    """Hold a script's talk from the first message to the goodbye; the same arguments give the same talk.

    ``until_unlike``: the messages of a talk that it is compared with; it ends after the first that is another.
    """
    user = EmbeddedUser(persona, natural=natural)
    messages, leaves, feelings = list[Message](), list[bool](), list[tuple[object, ...]]()

    def drawn(*place: object) -> int:
        return derive_seed("effect", script.name, seed, *place)

    state = user.begin(drawn("begin"))
    for turn, (reply, rating) in enumerate(script.replies):
        spoken = await user.speak(state, messages, drawn(turn, "speak"))
        if until_unlike and spoken.text != until_unlike[turn]:
            return TalkTrace((spoken.text,), (), ())
        felt = await user.feel(spoken.state, spoken.said, reply, rating, drawn(turn, "feel"))
        state = felt.state
        messages += [Message("user", spoken.text), Message("assistant", reply)]
        pleased = state.extra.get("satisfaction")
        leaves.append(felt.leave is not None)
        feelings.append((*felt.dimensions.values(), state.emotion, pleased, len(state.goals_left)))
    if not script.replies:
        messages.append(Message("user", (await user.speak(state, (), drawn("open"))).text))
    messages.append(Message("user", (await user.speak(closing(state), messages, drawn("close"))).text))
    said = tuple(each.content for each in messages if each.role == "user")
    return TalkTrace(said, tuple(leaves), tuple(feelings))
