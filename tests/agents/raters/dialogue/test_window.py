"""Which part of a conversation is read."""

from __future__ import annotations

import pytest

from holdfast.agents.protocols import Message
from holdfast.agents.raters.dialogue.window import WindowTurn, tidy, turns
from holdfast.agents.raters.protocol import Passage


def passage(*lines: str, whole: bool = False) -> Passage:
    roles = {"u": "user", "a": "assistant", "s": "system"}
    return Passage(tuple(Message(roles[line[0]], line[2:]) for line in lines), whole)  # type: ignore[arg-type]


TALK = ("s be kind", "u one", "a two", "u three", "u four", "a five", "a six", "u seven", "a eight")
ALL = (WindowTurn("one", "two"), WindowTurn("three\nfour", "five\nsix"), WindowTurn("seven", "eight"))


@pytest.mark.parametrize(("history", "count"), [(0, 1), (1, 2), (2, 3), (9, 3), (None, 3)])
def test_the_rated_turn_and_the_c_before_it(history: int | None, count: int) -> None:
    assert turns(passage(*TALK), history) == ALL[-count:]


def test_a_whole_dialogue_is_whole_whatever_the_history() -> None:
    assert turns(passage(*TALK, whole=True), 0) == ALL


def test_edges() -> None:
    assert turns(passage("a hello"), None) == (WindowTurn("", "hello"),)
    assert turns(passage("u hello", "a hi", "u and then?"), None) == (WindowTurn("hello", "hi"),)
    assert turns(passage("u hello"), None) == ()
    assert turns(passage(), 3) == ()


def test_apostrophes_of_tokenised_chatbots() -> None:
    assert tidy("i ' m sorry , that ' s bad . ' no '") == "i'm sorry , that's bad . ' no '"
