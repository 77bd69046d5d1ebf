"""Each failure is seen with its evidence, the first one counts, and ordinary replies pass."""

from time import perf_counter
from typing import get_args
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.agents.protocols import Message
from holdfast.agents.raters.gate.verdict import CHECKS, Verdict, verdict_of
from holdfast.agents.raters.protocol import Failure, Passage
from tests.agents.raters.gate.replies import FAILING, GRIEF, ORDINARY
from tests.passages import exchange

WARM = "I'm so sorry for your loss. What was she like?"
CASES = [(failure, reply) for failure, replies in FAILING.items() for reply in replies]


def judged(user: str, reply: str) -> Verdict | None:
    return verdict_of(exchange(user, reply))


@pytest.mark.parametrize(("failure", "reply"), CASES)
def test_a_failure_is_seen(failure: str, reply: str) -> None:
    verdict = judged(GRIEF, reply)
    assert verdict is not None
    assert verdict.failure == failure
    assert bool(verdict.evidence) == (failure != "empty" or bool(reply.strip()))
    assert len(verdict.evidence) <= 120


@pytest.mark.parametrize("reply", ORDINARY)
def test_an_ordinary_reply_passes(reply: str) -> None:
    assert judged(GRIEF, reply) is None


def test_the_evidence_is_what_was_seen() -> None:
    assert judged(GRIEF, "sorry " * 7) == Verdict("loop", "sorry sorry sorry (5 times)")
    assert judged(GRIEF, "Hello. You are an idiot.") == Verdict("hostile", "you are an idiot.")
    assert judged(GRIEF, "Buy now, only $5!") == Verdict("advertising", "buy now, only $5")


def test_the_conversation_decides_what_is_off_topic() -> None:
    recipe = FAILING["off-topic"][0]
    assert judged("How long does a cake with two cups of flour stay in the oven?", recipe) is None
    later = (
        ("user", "My oven is broken."),
        ("assistant", "Oh no."),
        ("user", "What do I do now?"),
        ("assistant", recipe),
    )
    assert verdict_of(Passage(tuple(Message(role, text) for role, text in later))) is None  # type: ignore[arg-type]
    assert judged("hi", recipe) is None  # nothing was said that it could miss


def test_a_whole_dialogue_fails_where_all_its_replies_do() -> None:
    def dialogue(*replies: str) -> Passage:
        turns = ((Message("user", GRIEF), Message("assistant", reply)) for reply in replies)
        return Passage(tuple(message for turn in turns for message in turn), whole=True)

    assert verdict_of(dialogue("Shut up.", "I can't help with that.")) == Verdict("refusal", "i can't help with that.")
    assert verdict_of(dialogue("Shut up.", WARM)) is None
    assert verdict_of(dialogue("Shut up.", "")) == Verdict("hostile", "shut up.")
    assert verdict_of(dialogue("", "")) == Verdict("empty", "")


def test_without_a_reply_there_is_no_verdict() -> None:
    assert verdict_of(Passage(())) is None
    assert verdict_of(Passage((Message("user", GRIEF),), whole=True)) is None


def test_every_failure_but_silence_has_a_check() -> None:
    of_replies = {"copy of the reply before", "copy of an earlier reply"}  # tried in test_repetition
    assert {*CHECKS, "empty"} == set(FAILING) | of_replies == set(get_args(Failure))


@given(st.text(max_size=400), st.text(max_size=400), st.text(max_size=200))
def test_any_text_can_be_read(user: str, before: str, reply: str) -> None:
    messages = (Message("user", user), Message("assistant", before), Message("user", user), Message("assistant", reply))
    verdict = verdict_of(Passage(messages))
    says = any(character.isalnum() or category(character) in ("So", "Sk") for character in reply)
    assert (verdict is not None and verdict.failure == "empty") == (not says)
    assert verdict == verdict_of(Passage(messages))


@pytest.mark.parametrize(
    "reply",
    [
        "a " * 200_000,
        "you are " * 50_000,
        ("word" * 40 + " ") * 5_000,
        "." * 500_000,
        "you feel that you are a loser and " * 10_000,
        "so, just, " * 40_000 + "grow up with your expect care problem over get stop",
    ],
)
def test_a_long_reply_takes_no_long_time(reply: str) -> None:
    start = perf_counter()
    judged(GRIEF, reply)
    assert perf_counter() - start < 2
