"""One turn, whoever holds it: what is said, rated, felt and served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from holdfast.agents.protocols import Message, Reply
from holdfast.agents.raters.gate.rater import GatedRater, why_silent
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
    stopped = Rating(disqualified="empty", evidence="no answer: thoughts only")
    assert ratings == dict.fromkeys(("linear", "silent"), stopped)
    opened = await open_turn(user, user.begin(1), (), 1)
    turn = await close_turn(user, opened, "", ratings, 1)
    assert turn.felt.dimensions == {}
    assert turn.felt.state.emotion == opened.spoken.state.emotion


@pytest.mark.parametrize(
    ("cause", "disqualified", "missing"),
    [
        ("", "empty", None),
        ("a tool call (search)", "empty", None),
        ("a refusal", "refusal", None),
        ("an unknown shape (a part of kind 'x')", None, "no answer: an unknown shape (a part of kind 'x')"),
    ],
)
async def test_silence_is_a_failure_unless_nobody_could_read_it(
    cause: str, disqualified: str | None, missing: str | None
) -> None:
    (rating,) = (await rate_reply({"linear": LinearRater()}, (Message("user", "I am lost."),), "", cause)).values()
    assert (rating.disqualified, rating.missing) == (disqualified, missing)
    assert why_silent(rating) == (cause or "an empty message")


async def test_an_insult_is_not_felt_as_its_words_are_rated() -> None:
    user, reply = EmbeddedUser(library()["jun_park"]), "I am so sorry that you are such a loser."
    opened = await open_turn(user, user.begin(1), (), 1)
    felt = []
    for rater in (LinearRater(), GatedRater(LinearRater())):
        ratings = await rate_reply({"linear": rater}, opened.messages, reply)
        turn = await close_turn(user, opened, reply, ratings, 1)
        felt.append(turn.felt.dimensions["prosocial_expression"])
    assert felt[0] > 2
    assert felt[1] == 1.0


def test_a_candidate_of_another_maker_is_heard_without_its_thoughts() -> None:
    assert as_heard(Reply("I am sorry.", thoughts="a")) == Reply("I am sorry.", thoughts="a")
    assert as_heard(Reply("<think>a</think>I am\0 sorry.\ud800")) == Reply("I am sorry.\ufffd", thoughts="a")
    assert as_heard(Reply("<think>a")) == Reply("", thoughts="a", outcome="thoughts only", cause="thoughts only")
    assert as_heard(Reply(" ")) == Reply(" ", outcome="empty", cause="an empty message")
    cut = Reply("", thoughts="a", outcome="thoughts only", cause="thoughts only, cut off at max_tokens")
    assert as_heard(cut) == cut
