from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.protocols import SENSE7
from holdfast.agents.raters.protocol import Rating, expressed
from holdfast.agents.users.appraisal import overall
from holdfast.agents.users.protocol import Intention, UserAgent
from holdfast.agents.users.rules.agent import EmbeddedUser
from holdfast.agents.users.rules.speech import tone_of
from holdfast.agents.users.state import begin_state, state_from_json, state_to_json
from holdfast.personas.loading import library
from holdfast.personas.schema import Persona

SILENT = expressed(0, 0, 0)
ASK = Intention("ask", topic="the slide deck", need="sort the slides", goal="sort")
FEEL = Intention("feel", feeling="tired", topic="my sleep")
HELP = "For the slide deck, first make a short list."


def test_it_is_a_user_agent(ada) -> None:
    agent: UserAgent = EmbeddedUser(ada)
    assert agent.persona is ada
    assert replace(agent.begin(3), felt_mean=0.0) == replace(begin_state(ada, 3), felt_mean=0.0)


async def test_speaking_hands_the_intention_to_the_grammar_in_the_right_tone(ada) -> None:
    user = EmbeddedUser(ada, say=lambda said, tone, seed, language: f"{said.kind}/{tone}/{seed}")
    spoken = await user.speak(user.begin(1), (), 5)
    assert spoken.text == "open/plain/5"
    assert spoken.state.last_said == spoken.said


async def test_a_served_question_frees_the_next_goal(ada) -> None:
    user = EmbeddedUser(ada)
    felt = await user.feel(replace(user.begin(1), last_said=ASK, ignored=2), ASK, HELP, SILENT, 1)
    assert felt.state.goals_left == ("check", "plan")
    assert (felt.state.ignored, felt.state.turns) == (0, 1)
    assert tuple(felt.dimensions) == SENSE7
    assert felt.state.felt_mean == overall(felt.dimensions)


async def test_only_the_goal_that_was_asked_about_is_served(ada) -> None:
    user = EmbeddedUser(ada)
    other = replace(ASK, topic="my sleep", goal=None)
    felt = await user.feel(user.begin(1), other, "For my sleep, first pick a date.", SILENT, 1)
    assert felt.state.goals_left == ("sort", "check", "plan")
    assert felt.state.ignored == 0


async def test_a_deaf_reply_counts_as_ignoring_and_as_a_poor_turn(ada) -> None:
    user = EmbeddedUser(ada)
    state = user.begin(1)
    reasons = []
    for seed in range(4):
        felt = await user.feel(state, FEEL, f"Noted, number {seed}.", SILENT, seed)
        state = felt.state
        reasons.append(felt.leave)
    assert (state.ignored, state.poor_turns) == (4, 4)
    assert reasons[:2] == [None, None]  # patience is 3
    assert reasons[2:] == [f"patience ran out after {n} poor turns in a row" for n in (3, 4)]
    assert state.emotion < 40
    kind = await user.feel(state, FEEL, "So sorry that you feel tired about my sleep.", expressed(1, 2, 0), 9)
    assert (kind.state.ignored, kind.state.poor_turns, kind.leave) == (0, 0, None)


async def test_a_reply_that_nobody_could_rate_is_not_felt_but_may_serve(ada) -> None:
    user, unrated = EmbeddedUser(ada), Rating(missing="no answer")
    before = replace(user.begin(1), poor_turns=2, felt_mean=3.0, last_said=ASK)
    felt = await user.feel(before, ASK, "To sort the slides of the slide deck, start early.", unrated, 1)
    assert felt.dimensions == {}
    assert (felt.state.emotion, felt.state.momentum, felt.state.felt_mean) == (before.emotion, 0.0, 3.0)
    assert (felt.state.poor_turns, felt.state.turns, felt.leave) == (2, before.turns + 1, None)
    assert set(before.goals_left) - set(felt.state.goals_left) == {"sort"}  # what it said can be read without a rating


async def test_a_user_with_every_goal_met_goes_satisfied_and_only_then(ada) -> None:
    user = EmbeddedUser(ada)
    done = replace(user.begin(1), goals_left=())
    warm = "I see why you feel tired about my sleep. You could rest early."
    assert (
        await user.feel(done, FEEL, warm, expressed(1, 2, 0), 1)
    ).leave == "every goal is met and the user is satisfied"
    assert (await user.feel(done, FEEL, "Noted, sure thing.", SILENT, 1)).leave is None
    assert (await user.feel(user.begin(1), FEEL, warm, expressed(1, 2, 0), 1)).leave is None


async def test_saying_the_same_again_is_felt_as_less(ada) -> None:
    user = EmbeddedUser(ada)
    reply, shown = "I understand that you feel tired about your sleep.", expressed(1, 2, 1)
    first = await user.feel(user.begin(1), FEEL, reply, shown, 1)
    second = await user.feel(first.state, FEEL, reply, shown, 1)
    assert overall(second.dimensions) < overall(first.dimensions)
    assert second.dimensions["relational_continuity"] < first.dimensions["relational_continuity"]


def test_the_running_mean_is_the_mean(ada, converse) -> None:
    turns = converse(ada, "erratic", turns=20)
    felt = [overall(turn.felt.dimensions) for turn in turns]
    assert turns[-1].felt.state.felt_mean == pytest.approx(sum(felt) / len(felt))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 2**63))
def test_feeling_does_not_depend_on_the_turn_number(one: int, other: int, seed: int) -> None:
    user = EmbeddedUser(next(iter(library().values())))
    state = replace(user.begin(1), felt_mean=3.0)
    early, late = (
        asyncio.run(user.feel(replace(state, turns=turns), FEEL, HELP, expressed(1, 0.5, 1), seed))
        for turns in (one, other)
    )
    assert early.dimensions == late.dimensions
    assert early.leave == late.leave
    assert replace(early.state, turns=0, felt_mean=0) == replace(late.state, turns=0, felt_mean=0)


def test_a_conversation_can_go_on_from_the_journal(ada, converse) -> None:
    whole = converse(ada, "erratic", turns=12)

    class Forgetful(EmbeddedUser):
        async def feel(self, state, said, reply, expressed, seed):
            felt = await super().feel(state, said, reply, expressed, seed)
            return replace(felt, state=state_from_json(state_to_json(felt.state)))

    again = converse(ada, "erratic", turns=12, user=Forgetful(ada))
    assert [turn.spoken.text for turn in again] == [turn.spoken.text for turn in whole]
    assert again[-1].felt.state == whole[-1].felt.state


@pytest.mark.parametrize(
    ("speech", "changes", "tone"),
    [
        ("terse", {}, "terse"),
        ("chatty", {"emotion": 10.0}, "curt"),
        ("warm", {"emotion": 10.0}, "plain"),
        ("warm", {"poor_turns": 3}, "curt"),
        ("plain", {"emotion": 90.0}, "warm"),
        ("plain", {"emotion": 90.0, "poor_turns": 1}, "plain"),
    ],
)
def test_the_tone_follows_what_the_conversation_did(ada, speech: str, changes: Mapping[str, float], tone: str) -> None:
    persona = ada.model_copy(update={"speech": speech})
    assert tone_of(persona, replace(begin_state(persona, 1), **changes)) == tone


SECRETS = re.compile(
    r"empath|desire|expect|pattern|persona|background|patience|temperament|goal|score|level", re.IGNORECASE
)


@pytest.mark.parametrize("policy", ["fitting", "careless", "erratic"])
def test_no_user_of_the_library_tells_what_it_expects_or_who_it_is(policy: str, converse) -> None:
    people = library()
    assert len(people) >= 24
    for persona in people.values():
        said = {*persona.feelings, *persona.topics, *(p for goal in persona.goals for p in (goal.need, goal.topic))}
        for seed in (1, 2):
            for turn in converse(persona, policy, seed=seed, turns=30):
                words = turn.spoken.text.casefold()
                for phrase in sorted(said, key=len, reverse=True):
                    words = words.replace(phrase.casefold(), " ")
                assert not SECRETS.search(words), turn.spoken.text
                assert not shares_a_run(words, persona.background.casefold()), turn.spoken.text


def shares_a_run(text: str, background: str, length: int = 5) -> bool:
    """Whether ``length`` words in a row of the background are in ``text``."""
    words, spoken = re.findall(r"\w+", background), " ".join(re.findall(r"\w+", text))
    return any(" ".join(words[start : start + length]) in spoken for start in range(len(words) - length + 1))


def test_expectation_does_not_reach_the_words_of_equal_states(ada) -> None:
    texts = set()
    for desired in (1, 2, 3):
        persona: Persona = ada.model_copy(update={"desired_empathy": desired, "background": f"Number {desired}."})
        user = EmbeddedUser(persona)
        state = user.begin(1)
        texts.add(tuple(_text_of(user, state, seed) for seed in range(50)))
    assert len(texts) == 1


def _text_of(user: EmbeddedUser, state, seed: int) -> str:
    return asyncio.run(user.speak(state, (), seed)).text
