"""Sentences and replies that stand in training word for word, names aside."""

from __future__ import annotations

import numpy as np

from holdfast.simulator.measure.text.verbatim import known_text, reply_frames, verbatim_shares

TRAINED = [
    [("I am sad about the move.", "I am so sorry about the move. What hurts most?")],
    [("I am unsure about the audit.", "I am so sorry about the audit. Rest a little.")],
]
KNOWN = known_text(TRAINED)


def test_words_that_many_users_say_are_no_names() -> None:
    assert {"i", "am", "the"} <= KNOWN.common
    assert not {"move", "audit", "sad"} & KNOWN.common


def test_what_is_known_is_counted_once() -> None:
    assert len(KNOWN.sentences) == 3
    assert len(KNOWN.replies) == 2


def test_a_name_counts_from_when_it_was_said() -> None:
    (before,), (after,) = reply_frames(
        [("Hm.", "Is it the exam?"), ("Yes, the exam.", "Is it the exam?")], KNOWN.common
    )
    assert before == ("is", "it", "the", "exam")
    assert after == ("is", "it", "the", "_")


def test_the_shares_by_hand() -> None:
    """Of three sentences two stand in training with another name, but no reply does; of silence there is no share."""
    tested = [("I am angry about the survey.", "I am so sorry about the survey. What hurts most? Call them.")]
    sentences, replies = verbatim_shares([tested, [("Hm.", "")]], KNOWN)
    assert sentences.tolist()[0] == 2 / 3
    assert replies.tolist()[0] == 0
    assert np.isnan([sentences[1], replies[1]]).all()


def test_a_whole_reply_stands_there_with_its_sentences_in_their_order() -> None:
    there, turned = "I am so sorry about the survey. Rest a little.", "Rest a little. I am so sorry about the survey."
    talk = [("The survey.", there), ("Again.", turned)]
    sentences, replies = verbatim_shares([talk], KNOWN)
    assert (sentences.tolist(), replies.tolist()) == ([1.0], [0.5])


def test_a_sentence_that_differs_by_one_word_is_new() -> None:
    sentences, _ = verbatim_shares([[("I am angry about the survey.", "I was so sorry about the survey.")]], KNOWN)
    assert sentences.tolist() == [0.0]
