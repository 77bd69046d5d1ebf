from __future__ import annotations

import pytest

from holdfast.agents.sentences import sentences_in, whole_sentences


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("I am sorry.", "I am sorry."),
        ("I am sorry. What happened? Then you", "I am sorry. What happened?"),
        ("i am so sorry .", "i am so sorry ."),
        ("He said “no.” And then", "He said “no.”"),
        ("Do this:\n1. Close it.\n2.", "Do this:\n1. Close it."),
        ("Do this:\n1. Close the tap\n2. Open", ""),
        ("**Rest!** Then go", "**Rest!**"),
        ("Version 2.5 of it", ""),
        ("Take a tool, e.g. a plier", ""),
        ("I said no. And", "I said no."),
        ("それは大変ですね。今日は", "それは大変ですね。"),
        ("No end here", ""),
        ("", ""),
    ],
)
def test_a_reply_ends_where_its_last_whole_sentence_does(text: str, whole: str) -> None:
    assert whole_sentences(text) == whole


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ('It is 3.5 km. "Go!" she said', ["It is 3.5 km.", '"Go!"', "she said"]),
        ("1. Rest, e.g. now.\n2. Go.", ["1. Rest, e.g. now.", "2. Go."]),
        (" no end ", ["no end"]),
        ("", []),
    ],
)
def test_sentences_stand_without_the_space_around_them(text: str, sentences: list[str]) -> None:
    assert sentences_in(text) == sentences
