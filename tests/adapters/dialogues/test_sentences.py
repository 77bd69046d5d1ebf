from __future__ import annotations

import pytest

from holdfast.adapters.dialogues.sentences import whole_sentences


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
