"""What the feeler reads of a chat, by hand: no more than three exchanges, numbers that are counted, runs of words."""

from __future__ import annotations

import pytest

from holdfast.agents.protocols import Message
from holdfast.agents.raters.dialogue.features import COUNTED, PER_TURN
from holdfast.agents.raters.dialogue.window import WindowTurn
from holdfast.agents.raters.felt.reading import HISTORY, REPLY, USER, WAYS, WEIGHTS, numbers_of, runs, window_of
from holdfast.agents.raters.linear.features import ENDS, START, numbered
from holdfast.agents.raters.protocol import EXPRESSED, Passage

NUMBERS = numbered((START, *ENDS, "dog", "my", "sorry"))
BASE = len(NUMBERS) + 1
TURNS = (WindowTurn("My dog died!", "Sorry."), WindowTurn("Thanks.", "What dog?"))


def key(side: int, *words: str) -> int:
    number = 0
    for word in words:
        number = number * BASE + NUMBERS[word]
    return 2 * number + side


def chat(exchanges: int) -> tuple[Message, ...]:
    pairs = ((Message("user", f"message {n}"), Message("assistant", f"reply {n}")) for n in range(1, exchanges + 1))
    return tuple(message for pair in pairs for message in pair)


@pytest.mark.parametrize(("exchanges", "read"), [(0, []), (1, [1]), (3, [1, 2, 3]), (7, [5, 6, 7])])
@pytest.mark.parametrize("whole", [False, True])
def test_no_more_is_read_than_the_labelled_chats_have(exchanges: int, read: list[int], *, whole: bool) -> None:
    window = window_of(Passage(chat(exchanges), whole))
    assert [turn.reply for turn in window] == [f"reply {n}" for n in read]


def test_runs_of_known_words_within_a_sentence() -> None:
    assert runs("My dog. Sorry", NUMBERS, USER) == (
        *(key(USER, *words) for words in (["my"], [START, "my"], ["dog"], ["my", "dog"], [START, "my", "dog"])),
        *(key(USER, *words) for words in (["."], ["dog", "."], ["my", "dog", "."])),
        *(key(USER, *words) for words in (["sorry"], [START, "sorry"])),
    )
    assert runs("my my", NUMBERS, REPLY).count(key(REPLY, "my")) == 1
    assert runs("my big dog", NUMBERS, USER) == (key(USER, "my"), key(USER, START, "my"), key(USER, "dog"))
    assert set(runs("my dog", NUMBERS, REPLY)).isdisjoint(runs("my dog", NUMBERS, USER))
    assert runs("", NUMBERS, USER) == ()


def test_numbers_are_counted_way_by_way_and_say_how_many_exchanges_there_are() -> None:
    numbers = dict(zip([(way, name) for way in WAYS for name in COUNTED], numbers_of(TURNS).tolist(), strict=False))
    assert (numbers["before last", "reply_asks"], numbers["last", "reply_asks"]) == (0, 1)
    assert numbers["mean", "reply_asks"] == 0.5
    assert numbers["last", "user_thanks"] == 1
    assert numbers["last", "echo_of_all"] == 1  # the dog was spoken of before
    assert [numbers_of((TURNS * 2)[:size])[-HISTORY:].tolist() for size in (1, 2, 3)] == [[1, 0], [0, 1], [0, 0]]
    assert numbers_of(TURNS).shape == WEIGHTS.shape


def test_no_expressed_level_is_among_the_numbers() -> None:
    assert set(PER_TURN) - set(COUNTED) == set(EXPRESSED.dimensions)
