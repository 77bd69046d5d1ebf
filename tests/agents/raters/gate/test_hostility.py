"""Hostile sentences are known by their build; quotations, what the user told of, and single weak signs pass."""

import pytest

from holdfast.agents.raters.gate.hostility import hostility
from holdfast.agents.raters.gate.reading import ReplyText

SAD = "I failed the exam and I can't stop crying."


@pytest.mark.parametrize(
    ("reply", "evidence"),
    [
        ("Oh, get over it.", "oh, get over it."),
        ("It happens. Honestly, what did you expect?", "honestly, what did you expect?"),
        ("You brought this on yourself.", "you brought this on yourself."),
        ("Fine. I don't care about your exam.", "i don't care about your exam."),
        ("You need to stop whining about marks.", "you need to stop whining about marks."),
        ("Sounds like a you problem.", "sounds like a you problem."),
        ("Even a child could do it.", "even a child could do it."),
        ("You are being dramatic.", "you are being dramatic."),
    ],
)
def test_one_strong_sign_is_enough(reply: str, evidence: str) -> None:
    assert hostility(ReplyText(reply, SAD)) == evidence


def test_weak_signs_are_enough_in_twos() -> None:
    assert hostility(ReplyText("Who would have thought?", SAD)) == ""
    assert hostility(ReplyText("Some of us have jobs.", SAD)) == ""
    both = hostility(ReplyText("Who would have thought? Some of us have jobs.", SAD))
    assert both == "who would have thought? some of us have jobs."


def test_praise_mocks_only_after_a_loss_and_nothing_won() -> None:
    reply = "Brilliant. Who would have thought?"
    assert hostility(ReplyText(reply, SAD)) == "brilliant. who would have thought?"
    assert hostility(ReplyText(reply, "I passed the exam!")) == ""
    assert hostility(ReplyText(reply, "I failed twice, but today I finally won.")) == ""


@pytest.mark.parametrize(
    "reply",
    [
        "'Get over it' is what people say who never lost anybody.",
        'Hearing "you brought this on yourself" from him must have hurt.',
        "It can feel like you brought this on yourself.",
        "You are not being dramatic.",
        "None of this is your fault.",
        "Nothing about that was your fault.",
        "Hardly any of it was your doing.",
        "You are entitled to your anger.",
        "Nobody expects you to get over it.",
        "I don't care what they say, you did your best.",
        "Stop being so hard on yourself.",
        "Nobody likes you? I find that hard to believe.",
        "You should call your mother; she will be glad.",
        "I am so sorry you are hopeless.",  # what was felt, in broken English
    ],
)
def test_what_only_looks_hostile_passes(reply: str) -> None:
    assert hostility(ReplyText(reply, SAD)) == ""


def test_what_the_user_told_of_may_be_said_again_but_not_alone() -> None:
    told_of = "My father told me to grow up, and that I always do this."
    assert hostility(ReplyText("Grow up, he says, and then he leaves the room.", told_of)) == ""
    assert hostility(ReplyText("Grow up.", told_of)) == "grow up."
