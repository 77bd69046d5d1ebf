from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.users.intention import MAX_REPEATS, feeling_chance, has_feeling, next_intention, open_goals
from holdfast.agents.users.protocol import Intention
from holdfast.agents.users.state import all_topics, begin_state, closing
from holdfast.core.seeds import derive_seed
from holdfast.personas.schema import Persona

SEEDS = range(400)


def after(persona: Persona, said: Intention, **changes):
    return replace(begin_state(persona, 1), last_said=said, **changes)


def test_the_first_message_states_a_task_topic_with_a_feeling_or_a_need(ada) -> None:
    opened = [next_intention(ada, begin_state(ada, seed), seed)[0] for seed in SEEDS]
    assert {said.kind for said in opened} == {"open"}
    assert {said.topic for said in opened} == {"the slide deck"}  # the only goal without a predecessor
    assert all((said.feeling is None) != (said.need is None) for said in opened)
    assert 0.4 < sum(map(has_feeling, opened)) / len(opened) < 0.6


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 2**63), st.integers(0, 4))
def test_the_turn_number_changes_nothing(one: int, other: int, seed: int, ignored: int) -> None:
    ada = Persona.model_validate(ADA)
    state = after(ada, Intention("feel", feeling="tired", topic="my sleep"), ignored=ignored)
    said, then = next_intention(ada, replace(state, turns=one), seed)
    again, later = next_intention(ada, replace(state, turns=other), seed)
    assert said == again
    assert replace(then, turns=0) == replace(later, turns=0)


def test_a_question_goes_only_to_goals_whose_predecessors_are_met(ada) -> None:
    state = after(ada, Intention("feel", feeling="tired", topic="my sleep"))
    assert [goal.id for goal in open_goals(ada, state)] == ["sort"]
    needs = {next_intention(ada, state, seed)[0].need for seed in SEEDS}
    assert needs == {None, "sort the slides"}
    served = replace(state, goals_left=("check", "plan"))
    needs = {next_intention(ada, served, seed)[0].need for seed in SEEDS}
    assert needs == {None, "sort the slides", "check the numbers"}


def test_an_ignored_message_is_repeated_with_the_same_feeling_topic_and_need_and_not_for_ever(ada) -> None:
    last = Intention("ask", topic="the slide deck", need="sort the slides")
    repeats = [
        said for seed in SEEDS if (said := next_intention(ada, after(ada, last, ignored=1), seed)[0]).kind == "repeat"
    ]
    assert len(repeats) > 50
    assert set(repeats) == {replace(last, kind="repeat")}
    for ignored in (0, MAX_REPEATS + 1):
        said = {next_intention(ada, after(ada, last, ignored=ignored), seed)[0].kind for seed in SEEDS}
        assert "repeat" not in said


def test_ignoring_never_moves_the_mix_of_cues(ada) -> None:
    last = Intention("feel", feeling="tired", topic="my sleep")
    for seed in SEEDS:
        answered, ignored = (next_intention(ada, after(ada, last, ignored=times), seed)[0] for times in (0, 1))
        assert has_feeling(answered) == has_feeling(ignored)


def test_thanks_come_after_a_good_reply_only(ada) -> None:
    last = Intention("feel", feeling="tired", topic="my sleep")
    kinds = {
        pleased: Counter(
            next_intention(ada, after(ada, last, extra={"satisfaction": pleased}), seed)[0].kind for seed in SEEDS
        )
        for pleased in (0.5, 0.9)
    }
    assert kinds[0.5]["thank"] == 0
    assert 0.05 < kinds[0.9]["thank"] / len(SEEDS) < 0.16  # THANK * warmth = .1


def test_closing_says_goodbye_and_nothing_else_does(ada, converse) -> None:
    state = closing(after(ada, Intention("feel", feeling="tired", topic="my sleep")))
    assert next_intention(ada, state, 1)[0] == Intention("close")
    assert all(turn.spoken.said.kind != "close" for turn in converse(ada, "fitting", turns=60))


def test_the_share_of_feelings_is_stationary_by_hand(ada) -> None:
    # p = .42 + .16 * .5 = .5; after a feeling .5 - .3 * .5 = .35, after a question .5 + .3 * .5 = .65;
    # and .5 * .35 + .5 * .65 = .5 again.
    assert feeling_chance(ada, None) == pytest.approx(0.5)
    assert feeling_chance(ada, Intention("feel", feeling="tired")) == pytest.approx(0.35)
    assert feeling_chance(ada, Intention("ask", topic="my sleep")) == pytest.approx(0.65)


def test_everything_is_disclosed_and_then_combined_anew(ada, converse) -> None:
    said = [turn.spoken.said for turn in converse(ada, "fitting", seed=3, turns=200)]
    assert {one.feeling for one in said[:30]} >= set(ada.feelings)
    assert {one.topic for one in said[:30]} >= set(all_topics(ada))
    pairs = Counter(
        (one.feeling, one.topic) for one in said if one.kind in ("feel", "tell") and one.feeling and one.topic
    )
    assert len(pairs) == len(ada.feelings) * len(all_topics(ada))  # all 18
    assert max(pairs.values()) - min(pairs.values()) <= 5


def test_consecutive_messages_change_what_they_speak_of(ada, converse) -> None:
    said = [turn.spoken.said for turn in converse(ada, "fitting", seed=5, turns=200)]
    pairs = [(one, two) for one, two in pairwise(said) if "repeat" not in (one.kind, two.kind)]
    same = sum((one.feeling, one.topic, one.need) == (two.feeling, two.topic, two.need) for one, two in pairs)
    changed = sum(one.feeling != two.feeling or one.topic != two.topic for one, two in pairs)
    assert same / len(pairs) < 0.05
    assert changed / len(pairs) > 0.85


@pytest.mark.parametrize("policy", ["fitting", "careless", "erratic"])
def test_the_smallest_persona_never_runs_dry(policy: str, converse) -> None:
    lone = {"feelings": ["sad"], "topics": ["my sleep"], "goals": [{"id": "a", "need": "sleep", "topic": "my sleep"}]}
    turns = converse(Persona.model_validate({**ADA, **lone}), policy, turns=200)
    assert all(turn.spoken.text for turn in turns)
    assert {turn.spoken.said.topic for turn in turns} <= {"my sleep", None}


def test_the_seed_decides(ada) -> None:
    state = after(ada, Intention("feel", feeling="tired", topic="my sleep"))
    assert next_intention(ada, state, derive_seed(1)) == next_intention(ada, state, derive_seed(1))
    assert len({next_intention(ada, state, derive_seed(seed))[0] for seed in SEEDS}) > 5


ADA = {
    "id": "ada",
    "name": "Ada",
    "task": "plan_project",
    "background": "41, lighthouse keeper.",
    "speech": "plain",
    "goals": [{"id": "sort", "need": "sort the slides", "topic": "the slide deck"}],
    "feelings": ["anxious", "tired"],
    "topics": ["the old laptop", "my sleep"],
    "desired_empathy": 2,
}
