"""The natural voice: what a reply did decides the words; same replies and seed, same words; each reaction by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from holdfast.agents.protocols import Message
from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.agents.users.protocol import UserState
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.agents.users.rules.reply_acts import acts_of
from holdfast.personas.loading import library
from holdfast.personas.schema import Persona

JUN = library()["jun_park"]
assert JUN.story is not None
STORY = JUN.story
MET, COLD = expressed(2, 2, 1), expressed(0, 0, 0)


def reacts(wordings: Sequence[str], text: str) -> bool:
    return any(wording in text for wording in wordings)


async def after(*replies: str, seed: int = 5, rating: Rating = COLD, persona: Persona = JUN) -> tuple[str, UserState]:
    """The message that follows these replies, and the state after it."""
    user = EmbeddedUser(persona, natural=True)
    state, messages = user.begin(1), ()
    for number, reply in enumerate(replies):
        spoken = await user.speak(state, messages, seed + number)
        messages = (*messages, Message("user", spoken.text), Message("assistant", reply))
        state = (await user.feel(spoken.state, spoken.said, reply, rating, seed + number)).state
    spoken = await user.speak(state, messages, seed + len(replies))
    return spoken.text, spoken.state


async def many(*replies: str, rating: Rating = COLD) -> list[str]:
    return [(await after(*replies, seed=seed, rating=rating))[0] for seed in range(0, 200, 10)]


async def test_it_opens_in_the_persons_own_words() -> None:
    texts = await many()
    assert {*texts} == {*STORY.openings.feeling, *STORY.openings.practical}


async def test_a_question_is_answered_from_the_story() -> None:
    how_long = STORY.facts[0].says
    asked = await many("I see. How long has this been going on?")
    assert all(reacts(how_long, text) for text in asked)
    asked_otherwise = await many("I see. What colour is the carpet?")
    assert not any(reacts(how_long, text) for text in asked_otherwise)
    told = await many("This has been going on for how long, I do not know.")
    assert not any(reacts(how_long, text) for text in told)  # no question


async def test_what_was_told_is_not_told_again() -> None:
    question = "How long has this been going on?"
    texts = await many(question, f"Mm. {question}", f"Right. {question}")
    assert not any(reacts(STORY.facts[0].says, text) for text in texts)  # both wordings are used up


async def test_advice_that_a_fact_rules_out_is_contested() -> None:
    (fact,) = [fact for fact in STORY.facts if "go to hr" in fact.rules_out]
    assert all(reacts(fact.contests, text) for text in await many("You could go to HR with this."))
    assert not any(reacts(fact.contests, text) for text in await many("You could go to the sea with this."))
    assert not any(reacts(fact.contests, text) for text in await many("It seems HR did not go that way."))


async def test_a_reply_that_says_itself_again_is_remarked_on() -> None:
    same = "That is hard on you. I hear it."
    assert all(reacts(STORY.repeated, text) for text in await many(same, same))
    assert not any(reacts(STORY.repeated, text) for text in await many(same, "That is hard. I am here."))


async def test_too_many_questions_are_too_many() -> None:
    assert all(reacts(STORY.questioned, text) for text in await many("Why? And then? What else? Who was it?"))
    assert not any(reacts(STORY.questioned, text) for text in await many("Why did it have to be that day?"))


async def test_advice_before_listening_is_put_off() -> None:
    texts = await many("First make a list of your tasks. Then sort it.")
    assert sum(reacts(STORY.advised, text) for text in texts) >= 5
    assert not any(reacts(STORY.advised, text) for text in await many("Ah well."))


async def test_a_kind_reply_moves_the_story_on() -> None:
    kind = "I am so sorry, that sounds lonely, and it makes sense that the cold silence hurts."
    _, met = await after(*[f"{kind} {n}" for n in range(6)], rating=MET)
    _, cold = await after(*[f"Noted, number {n}." for n in range(6)])
    assert met.extra["layer"] > cold.extra["layer"]


async def test_the_same_replies_draw_the_same_words_and_no_word_comes_twice() -> None:
    replies = [f"I am sorry to hear that, it sounds like week {n} of it." for n in range(18)]
    assert await after(*replies) == await after(*replies)
    user, state, messages, heard = EmbeddedUser(JUN, natural=True), EmbeddedUser(JUN).begin(1), (), []
    for number, reply in enumerate(replies):
        spoken = await user.speak(state, messages, number)
        heard.append(spoken.text)
        messages = (*messages, Message("user", spoken.text), Message("assistant", reply))
        state = (await user.feel(spoken.state, spoken.said, reply, MET, number)).state
    assert len(set(heard)) == len(heard)


async def test_only_what_the_message_names_is_said() -> None:
    user = EmbeddedUser(JUN, natural=True)
    for seed in range(40):
        spoken = await user.speak(user.begin(seed), (), seed)
        assert spoken.state.last_said == spoken.said
        if spoken.said.feeling is not None:
            assert spoken.said.feeling[:4] in spoken.text
    assert (await user.speak(user.begin(1), (), 1)).said.topic == "the budget meeting"


async def test_without_a_story_the_grammar_speaks() -> None:
    bare = JUN.model_copy(update={"story": None})
    user, grammar = EmbeddedUser(bare, natural=True), EmbeddedUser(bare)
    assert await user.speak(user.begin(1), (), 3) == await grammar.speak(grammar.begin(1), (), 3)
    assert not (await user.speak(replace(user.begin(1)), (), 3)).state.extra.get("spoken")


@pytest.mark.parametrize(
    ("reply", "questions", "advice"),
    [("Why? Ah.", 1, 0), ("You could rest. I see.", 0, 1), ("Could you rest?", 1, 0), ("", 0, 0)],
)
def test_acts(reply: str, questions: int, advice: int) -> None:
    acts = acts_of(reply)
    assert (len(acts.questions), len(acts.advice)) == (questions, advice)
    assert acts_of("One. Two.", "Two. Three.").said_again == 0.5
