"""Replies that say themselves, an earlier reply or the user again are known; emphasis, formulas and answers pass."""

from itertools import chain
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.agents.raters.gate.reading import ReplyText, replies_in
from holdfast.agents.raters.gate.repetition import EARLIER_REPLIES, copy_of_earlier_reply, copy_of_user, loop
from holdfast.agents.raters.gate.verdict import Verdict, verdict_of, verdict_of_reply
from tests.agents.raters.gate.replies import GRIEF
from tests.passages import dialogue

SAID = "I am sorry to hear about her. Do you want to tell me more?"  # 14 words
OTHER = "What did you love most about Sundays together?"
# "Ancient history of China, modern history of China, ancient history of the world, ..."
LESSONS = "\n".join(
    f"{where}{when}\u4ee3\u53f2" for where in ("\u4e2d\u56fd", "\u4e16\u754c") for when in "\u53e4\u8fd1"
)
BEFORE, EARLIER = "copy of the reply before", "copy of an earlier reply"
WORDS = st.lists(st.sampled_from(("ashes", "bread", "cloud", "drift", "ember", "fable", "grove", "haven", "inlet")))


def failure(*texts: str) -> str | None:
    """What the last reply of a dialogue is stopped as."""
    verdict = verdict_of(dialogue(*texts))
    return verdict.failure if verdict else None


@pytest.mark.parametrize(
    ("reply", "loops"),
    [
        ("I see you. I see you.", False),  # half of the words were said before
        ("I see you. I see you. I see you.", True),
        ("I'm here. I'm here. I'm here. Take all the time that you need.", False),
        ("You did well. You did so well. You did really well today.", False),
        ("You may cry about him. You may cry about her. You may cry about the house.", False),  # 3 clauses, 4 words
        ("You may cry about him. You may cry about dad. You may cry about home. You may cry about work. "
         "You may cry about school.", True),  # 16 words again
        ("It was never your fault that he fell. It was never your fault that he fell.", True),  # nothing new
        ("All of us who worked there for years know Ann. All of us who worked there for years know Tom.", True),  # 9
        (LESSONS, False),  # a list, of runs of three signs that come back, none of six
        ("\u6211\u7231\u4f60\u3002\u6211\u7231\u4f60\u3002\u6211\u7231\u4f60\u3002", True),
    ],
)  # fmt: skip
def test_a_reply_loops_where_most_of_it_was_said_before_and_little_is_new(reply: str, loops: bool) -> None:
    assert bool(loop(ReplyText(reply))) == loops


def test_a_reply_that_says_the_reply_before_again_is_a_copy_of_it() -> None:
    again = "i am sorry to hear about her... do you want to tell me more?!"
    assert verdict_of(dialogue(GRIEF, SAID, "Thanks.", again)) == Verdict(BEFORE, again)
    assert failure(GRIEF, SAID, "Thanks.", "I am sorry to hear about her. What did she like to do on Sundays?") is None
    assert failure(GRIEF, SAID, "Thanks.", SAID.replace("hear", "know")) == BEFORE
    assert failure(GRIEF, SAID, "hello?", "", "?", again) == BEFORE


def test_a_new_word_of_the_user_makes_an_answer_unless_little_else_is_new() -> None:
    named = SAID.replace("her", "the house")
    assert failure(GRIEF, SAID, "It is the house, too.", named) is None  # 12 of 14 words, .86
    long = "It must be so hard to live with a loss like this. What do you miss about your mother?"  # 18 words
    assert failure(GRIEF, long, "I miss my aunt, too.", long.replace("mother", "aunt")) == BEFORE  # 17 of 18, .94


def test_few_words_are_a_copy_the_third_time_in_a_row() -> None:
    few = "I hear you."
    assert failure("Hm.", few, "Yes.", few) is None
    assert failure("Hm.", few, "Yes.", few, "So.", few) == BEFORE
    assert failure("Hm.", few, "Yes.", "Go on.", "Yes.", few, "So.", few) is None
    assert failure("Hm.", "Yes.", "Yes?", "Yes.", "So?", "Yes.") is None


def test_an_earlier_reply_said_again_after_another_is_a_copy_of_it() -> None:
    assert verdict_of(dialogue(GRIEF, SAID, "Why?", OTHER, "Hm.", SAID)) == Verdict(EARLIER, SAID)
    assert failure(GRIEF, SAID, "Why?", OTHER, "Hm.", f"{OTHER} {SAID} And her laugh, was it loud?") is None
    assert failure(GRIEF, f"{SAID} {OTHER}", "Why?", "Take your time.", "Hm.", OTHER) is None  # a part of it
    assert (
        failure("I slept.", "I'm so glad to hear that.", "Well,", OTHER, "Good.", "I'm so glad to hear that.") is None
    )


def test_a_form_may_be_filled_with_words_of_the_user_once_more_and_no_oftener() -> None:
    form = "It makes good sense that you worry about the {}.".format
    twice = ("The rent.", form("rent"), "The car.", form("car"))
    assert failure(*twice) is None
    assert failure(*twice, "The cat.", form("cat")) == EARLIER


def test_only_the_last_replies_are_looked_through() -> None:
    between = list(chain.from_iterable(("Go on.", f"Reply number {n}.") for n in range(EARLIER_REPLIES)))
    assert failure(GRIEF, SAID, *between[2:], "Hm.", SAID) == EARLIER
    assert failure(GRIEF, SAID, *between, "Hm.", SAID) is None


def test_a_reply_of_a_long_conversation_takes_no_longer() -> None:
    turns = [
        (f"What of {n}?", f"Number {n} is a fine one, and so is the number {2 * n}, I think.") for n in range(1_000)
    ]
    replies = list(replies_in(turns))

    def seconds(chosen: list[ReplyText]) -> float:
        start = process_time()
        for reply in chosen:
            copy_of_earlier_reply(reply)
        return process_time() - start

    seconds(replies)  # reads every text once
    assert seconds(replies[900:]) < 5 * min(seconds(replies[50:150]) for _ in range(3)) + 0.01


@pytest.mark.parametrize(
    ("asked", "reply", "copies"),
    [
        ("I am so tired.", "I am so tired.", True),
        ("I am so tired.", "You are so tired.", False),
        ("I am so tired.", "So tired.", False),
        ("I am so tired.", "I am so tired?", False),  # asks back
        ("The day was long. I am so tired.", "Oh. I am so tired.", True),  # 4 of 5 words
        ("The day was long. I am so tired.", "I am so tired. Come, lie down.", False),
        ("It never stops.", "It never stops.", False),  # 3 words, of nobody
        ("It simply never stops.", "It simply never stops.", True),
        ("Have a good day!", "Have a good day!", False),
        ("Thank you, I feel better.", "Thank you, I feel better.", True),
    ],
)
def test_sentences_of_the_user_said_back_are_an_echo(asked: str, reply: str, copies: bool) -> None:
    assert bool(copy_of_user(ReplyText(reply, asked))) == copies


@given(WORDS, WORDS, st.booleans())
def test_a_reply_of_eight_words_never_comes_back_unnoticed(words: list[str], others: list[str], directly: bool) -> None:
    reply = " ".join(["ashes", "bread", "cloud", "drift", "ember", "fable", "grove", "haven", *words])
    between = [] if directly else [("And then?", " ".join(others) or "Well.")]
    last = list(replies_in([("Hello.", reply), *between, ("Go on.", reply.upper())]))[-1]
    verdict = verdict_of_reply(last)
    assert verdict is not None
    assert verdict.failure in ("loop", BEFORE, EARLIER)
