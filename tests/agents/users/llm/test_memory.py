from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.users.llm.memory import FACTS, MESSAGE, MOST_CHARACTERS, REPLY, Memory, clipped
from holdfast.agents.users.protocol import Intention
from holdfast.agents.users.state import begin_state
from holdfast.personas.schema import Persona


def talked(turns: int, window: int = 4, text: str = "x", topics: int = 5) -> Memory:
    memory = Memory()
    for turn in range(turns):
        said = Intention("feel", feeling="tired", topic=f"topic {turn % topics}")
        memory = memory.saying(f"{text} {turn}").hearing(
            said, text, taken_up=turn % 2 == 0, thought=text, window=window
        )
    return memory


def test_it_goes_through_a_state_and_json(ada: Persona) -> None:
    memory = talked(7).counting(messages=2, refused=1).saying("and now?")
    state = memory.into(begin_state(ada, 1))
    assert Memory.of(state) == memory
    assert json.loads(json.dumps(memory.as_json())) == memory.as_json()
    assert Memory.of(begin_state(ada, 1)) == Memory()


def test_the_window_keeps_the_last_exchanges_and_facts_keep_the_rest() -> None:
    memory = talked(7, window=2)
    assert memory.exchanges == (("x 5", "x"), ("x 6", "x"))
    # Said at turns 2, 3, 4, 5 (topic 0 again) and 6 (topic 1 again): each subject once, the newest last.
    assert [fact.topic for fact in memory.facts] == ["topic 2", "topic 3", "topic 4", "topic 0", "topic 1"]
    assert [fact.taken_up for fact in memory.facts] == [True, False, True, False, True]


def test_thanks_are_no_fact() -> None:
    memory = (
        Memory().saying("Thanks!").hearing(Intention("thank", topic="t"), "Sure.", taken_up=True, thought="", window=4)
    )
    assert memory.facts == ()
    assert memory.exchanges == (("Thanks!", "Sure."),)


def test_counts_add_up() -> None:
    assert Memory().counting(a=2).counting(a=3, b=0).counts == {"a": 5, "b": 0}


@settings(deadline=None)
@given(st.text(max_size=2000), st.integers(1, 60), st.integers(1, 20))
def test_its_size_is_bounded_whatever_is_said(text: str, turns: int, window: int) -> None:
    memory = talked(turns, window, text or "long " * 500, topics=40)
    assert len(memory.exchanges) <= window
    assert len(memory.facts) <= FACTS
    assert all(len(user) <= MESSAGE and len(reply) <= REPLY for user, reply in memory.exchanges)
    assert sum(len(text) for pair in memory.exchanges for text in pair) < MOST_CHARACTERS


def test_clipping_shows_that_something_was_cut() -> None:
    assert clipped("a\n b", 10) == "a b"
    assert clipped("abcdef", 4) == "abc…"
    assert clipped("abcd", 4) == "abcd"
