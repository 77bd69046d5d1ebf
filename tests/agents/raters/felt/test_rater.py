"""The shipped feeler: who it is, what it cannot read, and that expressed levels play no part in it."""

from __future__ import annotations

import pytest

from holdfast.agents.protocols import Message
from holdfast.agents.raters.felt.rater import LONGEST_CHAT, SHIPPED_FELT, PeopleFeeler
from holdfast.agents.raters.felt.reading import HISTORY
from holdfast.agents.raters.linear.legibility import OTHER_SCRIPT, OTHER_WORDS
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import FELT, NO_REPLY, Passage
from tests.passages import exchange

KIND = (
    Message("user", "My dog died last week."),
    Message("assistant", "I am so sorry to hear that. How are you feeling?"),
    Message("user", "Sad, but thank you for asking."),
    Message("assistant", "That makes sense. You must miss him."),
    Message("user", "I do. Thank you, you are very kind."),
    Message("assistant", "You are welcome. I hope you feel better soon."),
)
CRUEL = (
    *KIND[:1],
    Message("assistant", "what do you mean ?"),
    Message("user", "I just told you. My dog died."),
    Message("assistant", "that is great ! i love dogs !"),
    Message("user", "What? No. I am sad."),
    Message("assistant", "that is great ! i love dogs !"),
)


def felt(messages: tuple[Message, ...]) -> float:
    (rating,) = PeopleFeeler().score([Passage(messages)])
    return rating.values[FELT.dimensions[0]]


def test_kindness_feels_better_than_mockery_and_ever_more_so() -> None:
    kind, cruel = ([felt(chat[: 2 * turn]) for turn in (1, 2, 3)] for chat in (KIND, CRUEL))
    assert all(a > b for a, b in zip(kind, cruel, strict=True))
    assert kind[2] - cruel[2] > 1.5


def test_only_the_last_exchanges_count() -> None:
    assert LONGEST_CHAT == HISTORY + 1
    assert felt((*CRUEL, *KIND)) == felt(KIND)
    assert felt((*CRUEL, *KIND[:2])) != felt(KIND[:2])


def test_a_whole_chat_is_the_mean_over_its_windows() -> None:
    def whole(messages: tuple[Message, ...]) -> float:
        (rating,) = PeopleFeeler().score([Passage(messages, whole=True)])
        return rating.values[FELT.dimensions[0]]

    assert whole(KIND) == felt(KIND)
    assert whole(KIND[:2]) == felt(KIND[:2])
    long = (*CRUEL, *KIND)
    ends = [felt(long[: 2 * turn]) for turn in (3, 4, 5, 6)]
    assert whole(long) == pytest.approx(sum(ends) / 4)


def test_what_cannot_be_read_is_missing_with_its_reason() -> None:
    rate = PeopleFeeler().score
    assert rate([exchange("hello", "")])[0].missing == NO_REPLY
    assert rate([exchange("hello", "私はとても残念です")])[0].missing == OTHER_SCRIPT
    assert rate([exchange("hello", "das tut mir aber wirklich sehr leid")])[0].missing == OTHER_WORDS


def test_no_expressed_level_is_ever_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    before = felt(KIND[:4])

    def never(*_: object) -> None:
        raise AssertionError("the feeler asked for expressed levels")

    monkeypatch.setattr("holdfast.agents.raters.linear.rater.LinearModel.levels", never)
    with pytest.raises(AssertionError, match="asked for expressed levels"):
        LinearRater().score([Passage(KIND)])
    assert felt(KIND[:4]) == before
    assert felt((*KIND, Message("user", "Bye then."), Message("assistant", "Take care of yourself."))) > 1


def test_its_identity_is_its_files() -> None:
    identity = PeopleFeeler().identity
    assert (identity.id, len(identity.version)) == ("people", 12)
    assert PeopleFeeler().manifest.fitted_on == "ieval"
    assert sum(file.stat().st_size for file in SHIPPED_FELT.iterdir()) < 500_000
