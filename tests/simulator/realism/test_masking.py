from __future__ import annotations

import pytest

from holdfast.agents.sentence_frames import BLANK
from holdfast.personas.loading import library
from holdfast.simulator.realism.masking import MASK, Mask, levelled, mask_of, persona_terms

TEXTS = [
    "Hello there. I saw Anna at the bakery today.",
    "My sister told Anna everything, and I can't stop crying.",
    "the bakery was closed. Her sisters went home.",
    "i went home and told everybody. It was cold.",
]


def test_names_and_nouns_are_masked_and_the_rest_stays() -> None:
    mask = mask_of(TEXTS)
    assert " ".join(mask.tokens(TEXTS[1])) == f"my {BLANK} told {BLANK} everything and i can't stop crying"
    assert mask.text(TEXTS[1]) == f"My {MASK} told {MASK} everything, and I can't stop crying."
    assert {"anna", "bakery", "sister"} <= mask.words
    assert not {"i", "my", "told", "home", "went", "hello", "it"} & mask.words


def test_the_plural_and_the_possessive_are_masked_too_and_runs_are_one_blank() -> None:
    mask = Mask(frozenset({"anna", "sister"}))
    assert mask.tokens("Anna's sisters, ANNA") == [BLANK]
    assert mask.tokens("annals of annas") == ["annals", "of", BLANK]
    assert mask.share(["anna said so", "no"]) == pytest.approx(1 / 4)


def test_capitals_of_a_sentence_and_of_shouting_name_nothing() -> None:
    assert "please" not in mask_of(["Please help.", "WHY IS NOBODY ANSWERING PLEASE", "ok! Please"]).words
    assert "nobody" not in mask_of(["WHY IS NOBODY ANSWERING PLEASE"]).words


def test_what_the_personas_name_is_masked_in_real_text_too() -> None:
    terms = persona_terms([library()["jun_park"]])
    assert {"jun", "tae", "seo", "budget", "meeting"} <= terms
    assert not {"the", "my", "from", "i"} & terms
    assert mask_of(["nothing here"], terms).tokens("we had budget meetings") == ["we", "had", BLANK]


def test_levelling_takes_typing_out() -> None:
    common = [f"because of people {number}" for number in range(5)]
    texts = [*common, "Becuase I DON\u2019T know... sooooo, bad!!", "dont know", "vacuum"]
    done = levelled(texts, [f"p{number}" for number in range(len(texts))])
    assert done[5].split() == ["because", "i", "dont", "know...", "soo", "bad!!"]
    assert done[6] == "dont know"
    assert done[7] == "vacuum"  # rare, and near no common word: left as it is
    assert done[0] == common[0]
