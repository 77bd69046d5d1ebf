"""One turn, whoever holds it: what is said, rated, felt and served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.agents.protocols import Message
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import EXPRESSED, Passage, RaterIdentity, Rating, Scale
from holdfast.agents.turn import close_turn, open_turn, rate_reply
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.personas.loading import library
from tests.passages import reply_of

HELP = "To {need}, start with {topic}: write a list, then take the smallest step."


@dataclass(frozen=True)
class SilentRater:
    """Never has an answer."""

    identity: RaterIdentity = RaterIdentity("silent", "1")
    scale: Scale = EXPRESSED

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        return [Rating(missing=f"no answer to {reply_of(passage)!r}") for passage in passages]


async def test_every_rater_is_asked_and_the_first_one_is_felt() -> None:
    user, messages = EmbeddedUser(library()["jun_park"]), (Message("user", "I am lost."),)
    both = await rate_reply({"linear": LinearRater(), "silent": SilentRater()}, messages, "I am so sorry.")
    assert list(both) == ["linear", "silent"]
    assert both["linear"].values["emotional_reaction"] > 1
    assert both["silent"].missing == "no answer to 'I am so sorry.'"
    opened = await open_turn(user, user.begin(1), (), 1)
    heard = await close_turn(user, opened, "I am so sorry.", both, 1)
    silence = await close_turn(user, opened, "I am so sorry.", dict(reversed(both.items())), 1)
    assert len(heard.felt.dimensions) == 7
    assert silence.felt.dimensions == {}


async def test_a_served_goal_is_named_by_the_turn_that_served_it() -> None:
    persona = library()["jun_park"]
    user, raters = EmbeddedUser(persona), {"linear": LinearRater()}
    state, messages, served = user.begin(3), (), []
    for number in range(1, 40):
        opened = await open_turn(user, state, messages, number)
        said = opened.spoken.said
        reply = HELP.format(need=said.need, topic=said.topic) if said.goal else "Tell me more about it."
        turn = await close_turn(user, opened, reply, await rate_reply(raters, opened.messages, reply), number)
        assert turn.messages[-2:] == (Message("user", opened.spoken.text), Message("assistant", reply))
        assert turn.goals_served in ((), (said.goal,))
        served += turn.goals_served
        state, messages = turn.felt.state, turn.messages
    assert sorted(served) == sorted(goal.id for goal in persona.goals)  # each once
    assert state.goals_left == ()
