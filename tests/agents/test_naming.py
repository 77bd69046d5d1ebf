from __future__ import annotations

import pytest

from holdfast.agents.naming import names


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("the report", "Then send (The Report).", True),
        ("my report", "I am sorry about your report.", True),
        ("the report", "the reports", False),
        ("the report", "report", False),
        ("anxious", "You are Anxious.", True),
        ("breathe", "breath e", False),
    ],
)
def test_a_phrase_is_named_by_whole_words_and_any_determiner(phrase: str, text: str, found: bool) -> None:
    assert names(phrase, text) is found
