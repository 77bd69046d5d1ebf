"""Sentences that stand in training word for word, names aside."""

from __future__ import annotations

import numpy as np

from holdfast.simulator.measure.text.verbatim import common_words, sentences, verbatim_share

TRAINED = [
    [("I am sad about the move.", "I am so sorry about the move. What hurts most?")],
    [("I am tired of the audit.", "I am so sorry about the audit. Rest a little.")],
]
COMMON = common_words(TRAINED)
KNOWN = frozenset(sentence for talk in TRAINED for reply in sentences(talk, COMMON) for sentence in reply)


def test_words_that_many_users_say_are_no_names() -> None:
    assert {"i", "am", "the"} <= COMMON
    assert not {"move", "audit", "sad"} & COMMON


def test_names_are_blanks_and_a_run_of_them_is_one() -> None:
    ((first, second),) = sentences([("My new car broke.", "Sorry about my new car. Ask them!")], COMMON)
    assert first == ("sorry", "about", "_")
    assert second == ("ask", "them")


def test_a_name_counts_from_when_it_was_said() -> None:
    before, after = sentences([("Hm.", "Is it the exam?"), ("Yes, the exam.", "Is it the exam?")], COMMON)
    assert before == [("is", "it", "the", "exam")]
    assert after == [("is", "it", "the", "_")]


def test_the_share_by_hand() -> None:
    """Of three sentences two stand in training with another name; of no sentence there is no share."""
    tested = [("I am angry about the survey.", "I am so sorry about the survey. What hurts most? Call them.")]
    assert verbatim_share([tested, [("Hm.", "")]], KNOWN, COMMON).tolist()[0] == 2 / 3
    assert np.isnan(verbatim_share([[("Hm.", "")]], KNOWN, COMMON)).all()


def test_a_sentence_that_differs_by_one_word_is_new() -> None:
    tested = [("I am angry about the survey.", "I was so sorry about the survey.")]
    assert verbatim_share([tested], KNOWN, COMMON).tolist() == [0.0]
