"""Words of messages: singular and plural, and hidden characters written out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.text import is_hidden, visible
from holdfast.core.wording import first_line, how_many


@pytest.mark.parametrize(
    ("count", "nouns", "words"),
    [
        (1, ("turn",), "1 turn"),
        (0, ("turn",), "0 turns"),
        (1234, ("reply", "replies"), "1,234 replies"),
        (1, ("reply was", "replies were"), "1 reply was"),
    ],
)
def test_a_count_and_its_noun_agree(count, nouns, words):
    assert how_many(count, *nouns) == words


@given(st.text())
def test_what_is_shown_hides_nothing_and_is_shown_again_as_it_is(text):
    shown = visible(text)
    assert not any(map(is_hidden, shown))
    assert "\r" not in shown
    assert visible(shown) == shown


@given(st.recursive(st.text(), st.lists))
def test_json_that_is_shown_has_the_same_value(value):
    assert json.loads(visible(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("\n  no such thing  \nmore of it"), "no such thing"),
        (ValueError("Two faults:\n  the first\n  the second"), "Two faults: the first"),
        (ValueError("Two faults:"), "Two faults:"),
        (ValueError(), "ValueError"),
        (KeyError(" "), "' '"),
    ],
)
def test_an_error_is_told_by_its_first_line(error, line):
    assert first_line(error) == line
