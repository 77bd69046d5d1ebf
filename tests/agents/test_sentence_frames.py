"""Frames of sentences, worked out by hand."""

from __future__ import annotations

from holdfast.agents.sentence_frames import blanked, blanked_frames, sentence_frames


def test_named_words_are_blanks_and_a_run_of_them_is_one() -> None:
    first, second = sentence_frames("Sorry about my NEW car. Ask them!", {"my", "new", "car"})
    assert first == ("sorry", "about", "_")
    assert second == ("ask", "them")


def test_phrases_are_blanked_whole_whatever_their_determiner() -> None:
    text = blanked("So sorry you feel sad about your old car.  The old car!", ["my old car", "sad"])
    assert blanked_frames(text) == [("so", "sorry", "you", "feel", "_", "about", "_"), ("_",)]


def test_both_ways_agree_where_the_same_is_named() -> None:
    reply = "I'm sorry you feel tense. What is it about exams that makes you tense?"
    assert sentence_frames(reply, {"tense", "exams"}) == blanked_frames(blanked(reply, ["tense", "exams"]))


def test_what_has_no_word_has_no_frame_and_an_underscore_is_no_name() -> None:
    assert sentence_frames("... ! _", set()) == []
    assert blanked_frames(blanked("_ ... see_this", [])) == [("see", "this")]
