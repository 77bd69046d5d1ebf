from __future__ import annotations

import pytest

from holdfast.agents.users.protocol import Intention
from holdfast.agents.users.reply_cues import (
    MAX_SENTENCES,
    cues_of,
    gives_steps,
    length_sanity,
    sentence_digests,
    share_named,
)


@pytest.mark.parametrize(
    ("reply", "phrase", "share"),
    [
        ("Let us look at the budget report.", "the budget report", 1.0),
        ("Your Budget Reports matter.", "the budget report", 1.0),
        ("That report is long.", "the budget report", 0.5),
        ("Tell me more about it.", "the budget report", 0.0),
        ("That is the thing.", "the", 1.0),  # nothing but function words: then they count
        ("Reporting is fun.", "the report", 0.0),
    ],
)
def test_share_of_a_topic_named(reply: str, phrase: str, share: float) -> None:
    assert share_named(reply, phrase) == share


@pytest.mark.parametrize(
    ("reply", "feeling", "share"),
    [
        ("I hear your anxiety.", "anxious", 1.0),
        ("What worries you?", "worried", 1.0),
        ("So much sadness.", "sad", 1.0),
        ("I hope it gets better.", "hopeless", 0.0),
        ("You sound tired.", "anxious", 0.0),
    ],
)
def test_share_of_a_feeling_named(reply: str, feeling: str, share: float) -> None:
    assert share_named(reply, feeling, inflected=True) == share


@pytest.mark.parametrize(
    "reply",
    [
        "First make a short list. Then try it once.",
        "For the report, you could make a short list.",
        "It may help to pick a date.",
        "Write down what you know.",
        "To sort the slides, first clear your desk.",
        "I suggest a break.",
        "1. Open it\n2. Close it",
        "Please check the last change.",
    ],
)
def test_something_to_do(reply: str) -> None:
    assert gives_steps(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "What do you need first?",
        "Could you try it once?",
        "I am so sorry about the first interview.",
        "I can see that the next release is on your mind.",
        "I see.",
        "",
    ],
)
def test_nothing_to_do(reply: str) -> None:
    assert not gives_steps(reply)


def test_length_sanity_by_hand() -> None:
    assert length_sanity("") == 0.0
    assert length_sanity("I see") == 0.5
    assert length_sanity("word " * 4) == 1.0
    assert length_sanity("word " * 150) == 1.0
    assert length_sanity("word " * 275) == pytest.approx(1 - 0.75 * 125 / 250)
    assert length_sanity("word " * 5000) == 0.25


def test_a_heard_reply() -> None:
    said = Intention("feel", feeling="anxious", topic="the budget report")
    before = sentence_digests("That sounds hard. Go on!")
    heard = cues_of(said, "that  sounds hard. I get the anxious part.", before)
    assert (heard.feeling, heard.topic, heard.asked, heard.repeated) == (1.0, 0.0, False, 0.5)
    assert heard.grounding == 0.5


def test_naming_the_need_is_as_good_as_naming_the_topic() -> None:
    heard = cues_of(
        Intention("ask", topic="the budget report", need="sort the slides"), "To sort the slides, start early."
    )
    assert (heard.feeling, heard.topic, heard.asked, heard.steps) == (None, 1.0, True, True)


def test_thanks_want_nothing_named() -> None:
    assert cues_of(Intention("thank", topic="the budget report"), "You are welcome, any time.").grounding == 1.0


def test_a_reply_is_remembered_by_a_bounded_digest() -> None:
    digests = sentence_digests("This is a sentence of a very long reply. " * 500)
    assert len(digests) == MAX_SENTENCES
    assert all(len(digest) == 8 for digest in digests)
