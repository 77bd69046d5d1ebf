"""One turn, whoever holds it: what is said, rated, felt and served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.agents.protocols import Message, Reply
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import EXPRESSED, Passage, RaterIdentity, Rating, Scale
from holdfast.agents.turn import as_heard, close_turn, open_turn, rate_reply
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


async def test_a_reply_without_text_is_rated_by_nobody_for_its_cause() -> None:
    user, messages = EmbeddedUser(library()["jun_park"]), (Message("user", "I am lost."),)
    ratings = await rate_reply({"linear": LinearRater(), "silent": SilentRater()}, messages, " ", "thoughts only")
    assert ratings == dict.fromkeys(("linear", "silent"), Rating(missing="no answer: thoughts only"))
    opened = await open_turn(user, user.begin(1), (), 1)
    turn = await close_turn(user, opened, "", ratings, 1)
    assert turn.felt.dimensions == {}
    assert turn.felt.state.emotion == opened.spoken.state.emotion


def test_a_candidate_of_another_maker_is_heard_without_its_thoughts() -> None:
    assert as_heard(Reply("I am sorry.", thoughts="a")) == Reply("I am sorry.", thoughts="a")
    assert as_heard(Reply("<think>a</think>I am\0 sorry.\ud800")) == Reply("I am sorry.\ufffd", thoughts="a")
    assert as_heard(Reply("<think>a")) == Reply("", thoughts="a", outcome="thoughts only", cause="thoughts only")
    assert as_heard(Reply(" ")) == Reply(" ", outcome="empty", cause="an empty message")
    cut = Reply("", thoughts="a", outcome="thoughts only", cause="thoughts only, cut off at max_tokens")
    assert as_heard(cut) == cut
