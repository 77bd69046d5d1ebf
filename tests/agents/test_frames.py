"""Templates with alternatives, worked out by hand."""

from __future__ import annotations

import pytest

from holdfast.agents.frames import Frame, alternatives, capitalised, fullest


def test_every_wording_once_and_in_order() -> None:
    assert alternatives("I am [so|very|] sorry [to hear|] that.") == (
        "I am so sorry to hear that.",
        "I am so sorry that.",
        "I am very sorry to hear that.",
        "I am very sorry that.",
        "I am sorry to hear that.",
        "I am sorry that.",
    )
    assert alternatives("[a|b|a] c") == ("a c", "b c")


def test_brackets_in_brackets_and_wordings_by_name() -> None:
    assert alternatives("[[x|y] one|two]") == ("x one", "two", "y one")
    assert alternatives("<so> bad.", {"so": "so|very <much>", "much": "much|indeed"}) == (
        "so bad.",
        "very much bad.",
        "very indeed bad.",
    )


def test_no_space_is_left_by_what_is_left_out() -> None:
    assert alternatives("[oh, |]it is [so|] [|, truly] .") == (
        "oh, it is so.",
        "oh, it is so, truly.",
        "oh, it is.",
        "oh, it is, truly.",
        "it is so.",
        "it is so, truly.",
        "it is.",
        "it is, truly.",
    )


@pytest.mark.parametrize("text", ["[a|b", "a]", "[a|[b]"])
def test_a_bracket_without_its_partner_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="a bracket without its partner"):
        alternatives(text)


def test_an_unknown_wording_is_an_error() -> None:
    with pytest.raises(ValueError, match="no wording <so> for '<so> sorry'"):
        alternatives("<so> sorry", {"very": "very"})


def test_sentences_begin_with_a_capital_and_so_does_a_slot() -> None:
    assert capitalised("{topic} must hurt. then {step}, i. e. soon") == "{Topic} must hurt. Then {step}, i. E. Soon"
    frame = Frame.parse(capitalised("{topic} must hurt."))
    assert frame.slots == {"topic"}
    assert frame.fill({"topic": "your report"}) == "Your report must hurt."


def test_the_fullest_say_all_they_can() -> None:
    plain, topic, both = map(Frame.parse, ("A.", "A {topic}.", "A {topic} {need}."))
    assert fullest((plain, topic, both), ["topic"]) == (topic,)
    assert fullest((plain, topic, both), ["topic", "need"]) == (both,)
    assert fullest((both,), []) == ()
