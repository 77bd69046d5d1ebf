"""Sentences and runs of words, counted by hand."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.raters.linear.features import ENDS, START, cut, grams, normalise, sentence_spans, tokens

NUMBERS = {word: number for number, word in enumerate((START, *ENDS, "i'm", "sorry", "why", "not"), start=1)}
BASE = len(NUMBERS) + 1
text = st.text(alphabet="aw yI'sor.!?\n\u2026\u20193<:)", max_size=60)


def test_tokens() -> None:
    assert tokens("I\u2019m SORRY\u2026 why?! <3 3rd :)") == [
        *("i'm", "sorry", ".", "why", "?", "!", "<3", "3", "rd", ":)"),
    ]


def test_sentences_of_two_replies() -> None:
    found = cut(["I'm sorry... Why?! Unknown", "", "..."], NUMBERS)
    # "<s> i'm sorry . . ." | "<s> why ? !" | "<s> 0"; an empty reply and one of dots have no sentence.
    assert found.reply.tolist() == [0, 0, 0]
    assert found.sentence.tolist() == [0] * 6 + [1] * 4 + [2] * 2
    assert found.ids.tolist() == [1, 6, 7, 2, 2, 2, 1, 8, 4, 3, 1, 0]


def test_runs_stay_in_their_sentence_and_skip_unknown_words() -> None:
    keys, place = grams(cut(["Why. Odd why"], NUMBERS), BASE)
    # sentence 0: <s> why .   sentence 1: <s> (odd) why
    start, why, dot = NUMBERS[START], NUMBERS["why"], NUMBERS["."]
    assert sorted(zip(place.tolist(), keys.tolist(), strict=True)) == sorted(
        [
            (0, start),
            (0, why),
            (0, dot),
            (0, start * BASE + why),
            (0, why * BASE + dot),
            (0, (start * BASE + why) * BASE + dot),
            (1, start),
            (1, why),
        ]
    )


@given(st.lists(text, max_size=5))
@settings(max_examples=300, deadline=None)
def test_spans_are_the_same_sentences(texts: list[str]) -> None:
    counts = [len(sentence_spans(one)) for one in texts]
    assert cut(texts, NUMBERS).reply.tolist() == [reply for reply, count in enumerate(counts) for _ in range(count)]


def test_spans_point_at_the_words() -> None:
    reply = "  So sorry! (Why?) go on"
    assert [normalise(reply)[a:b] for a, b in sentence_spans(reply)] == ["so sorry!", "why?", "go on"]
