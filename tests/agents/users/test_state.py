from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.users.protocol import Intention, UserState
from holdfast.agents.users.state import all_topics, begin_state, closing, state_from_json, state_to_json
from holdfast.core.errors import JournalError

finite = st.floats(allow_nan=False, allow_infinity=False)
phrases = st.lists(st.text(max_size=20), max_size=6).map(tuple)
maybe = st.none() | st.text(max_size=20)
said = st.builds(
    Intention,
    kind=st.sampled_from(["open", "feel", "ask", "tell", "repeat", "thank", "close"]),
    feeling=maybe,
    topic=maybe,
    need=maybe,
)
extra = st.fixed_dictionaries(
    {},
    optional={
        "told": st.integers(0, 2**400).map("{:x}".format),
        "reply": st.lists(st.text(max_size=8), max_size=8),
        "satisfaction": finite,
        "closing": st.booleans(),
    },
)
states = st.builds(
    UserState,
    emotion=finite,
    momentum=finite,
    goals_left=phrases,
    feelings_left=phrases,
    topics_left=phrases,
    desired=finite,
    felt_mean=finite,
    turns=st.integers(0, 10**6),
    poor_turns=st.integers(0, 10**6),
    ignored=st.integers(0, 10**6),
    last_said=st.none() | said,
    extra=extra,
)


@settings(max_examples=300, deadline=None)
@given(states)
def test_a_state_survives_json_exactly(state: UserState) -> None:
    text = json.dumps(state_to_json(state), allow_nan=False)
    again = state_from_json(json.loads(text))
    assert again == state
    assert json.dumps(state_to_json(again), allow_nan=False) == text


def test_the_undefined_mean_before_the_first_reply_is_null_in_json(ada) -> None:
    state = begin_state(ada, 1)
    raw = state_to_json(state)
    assert raw["felt_mean"] is None
    again = state_from_json(json.loads(json.dumps(raw, allow_nan=False)))
    assert math.isnan(again.felt_mean)
    assert replace(again, felt_mean=0.0) == replace(state, felt_mean=0.0)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw.pop("emotion"),
        lambda raw: raw.update(surprise=1),
        lambda raw: raw.update(last_said={"kind": "feel", "mood": "bad"}),
        lambda raw: raw.update(goals_left=None),
    ],
)
def test_a_damaged_state_is_an_error_of_the_journal(ada, damage) -> None:
    raw = state_to_json(begin_state(ada, 1))
    damage(raw)
    with pytest.raises(JournalError, match="a user's state in the journal cannot be read"):
        state_from_json(raw)


def test_a_conversation_begins_where_sage_does_with_everything_still_to_say(ada) -> None:
    state = begin_state(ada, 7)
    assert (state.emotion, state.momentum, state.desired, state.turns) == (40.0, 0.0, 3.0, 0)
    assert state.goals_left == ("sort", "check", "plan")
    assert sorted(state.feelings_left) == sorted(ada.feelings)
    assert sorted(state.topics_left) == sorted(all_topics(ada))
    assert set(all_topics(ada)) == {*ada.topics, "the slide deck", "the budget report", "the team meeting"}


def test_the_seed_orders_what_is_disclosed(ada) -> None:
    assert begin_state(ada, 7).topics_left == begin_state(ada, 7).topics_left
    assert len({begin_state(ada, seed).topics_left for seed in range(20)}) > 10


def test_two_hundred_turns_do_not_make_the_state_grow(ada, converse) -> None:
    sizes = [len(json.dumps(state_to_json(turn.felt.state))) for turn in converse(ada, "erratic", turns=200)]
    assert max(sizes) < 1200
    assert max(sizes[100:]) <= max(sizes[:100]) + 20  # a few digits more


def test_closing_changes_nothing_else(ada) -> None:
    state = replace(begin_state(ada, 1), felt_mean=2.0)
    assert replace(closing(state), extra={}) == state
    assert closing(state).extra == {"closing": True}
