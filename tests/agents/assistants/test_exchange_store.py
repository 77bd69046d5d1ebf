"""Retrieving exchanges: likeness by hand and beside scikit-learn's, levels, people kept apart, faults of a file."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.assistants import encoded_situations
from holdfast.agents.assistants.encoded_situations import EncodedSituations
from holdfast.agents.assistants.exchange_store import (
    ExchangeStore,
    SituationIndex,
    StoredExchange,
    read_exchanges,
    without_people,
)
from holdfast.agents.raters.gate.reading import words_of
from holdfast.core.errors import InputError, ModelError
from holdfast.personas.schema import MechanismLevels
from tests.agents.raters.dialogue.test_encoder import build_encoder


def levels(er: float, ip: float, ex: float) -> MechanismLevels:
    return MechanismLevels(emotional_reaction=er, interpretation=ip, exploration=ex)


def exchange(situation: str, reply: str, at: MechanismLevels | None = None, persona: str = "") -> StoredExchange:
    return StoredExchange(situation=situation, reply=reply, levels=at, persona=persona)


WARM, COLD = levels(2, 1, 1), levels(0, 0, 0)


def test_likeness_by_hand() -> None:
    """Two texts: "my boss" and "my cat"; df of my is 2, so idf 1; of boss and cat 1, so ln(3/2) + 1."""
    index = SituationIndex(["My boss!", "my cat"])
    rare = math.log(3 / 2) + 1
    length = math.hypot(1, rare)
    assert index.likeness("boss") == pytest.approx([rare / length, 0])
    assert index.likeness("My cat, my cat") == pytest.approx([1 / length**2, 1])  # 2 my and 2 cat: the same direction
    assert index.likeness("nothing known") == [0, 0]
    assert index.likeness("") == [0, 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=9).map(" ".join), min_size=1, max_size=8))
def test_likeness_is_that_of_scikit_learn(texts: list[str]) -> None:
    text_features = pytest.importorskip("sklearn.feature_extraction.text")
    *known, asked = [*texts, "a c e g"]
    vectorizer = text_features.TfidfVectorizer(analyzer=words_of)
    vectors = vectorizer.fit_transform(known)
    expected = (vectors @ vectorizer.transform([asked]).T).toarray()[:, 0]
    assert SituationIndex(known).likeness(asked) == pytest.approx(expected.tolist())


def test_of_what_is_alike_the_nearest_levels_are_taken() -> None:
    store = ExchangeStore(
        (
            exchange("my boss shouted", "cold", COLD),
            exchange("my boss shouted at me", "warm", WARM),
            exchange("my boss", "unknown"),
            exchange("the soup", "far and warm", WARM),
        )
    )
    said = "my boss shouted at lunch"
    assert [each.reply for each in store.retrieve(said, WARM, 2)] == ["far and warm", "warm"]  # fittest last
    assert [each.reply for each in store.retrieve(said, COLD, 1)] == ["cold"]
    assert next(each.reply for each in store.retrieve(said, COLD, 4)) == "unknown"  # without levels: behind all others


def test_far_situations_are_not_looked_at() -> None:
    alike = [exchange(f"boss number {number}", f"reply {number}", COLD) for number in range(4)]
    store = ExchangeStore((exchange("the soup", "warm", WARM), *alike))
    assert [each.reply for each in store.retrieve("boss", WARM, 1)] == ["reply 0"]


def test_no_reply_is_shown_twice() -> None:
    store = ExchangeStore(tuple(exchange(f"boss {number}", "the same", WARM) for number in range(9)))
    assert len(store.retrieve("boss", WARM, 3)) == 1


def test_the_hash_is_of_all_that_can_be_shown() -> None:
    first, second = exchange("a", "b"), exchange("a", "c")
    assert ExchangeStore((first,)).hashes == ExchangeStore((exchange("a", "b"),)).hashes
    assert (
        len(
            {
                ExchangeStore(each).hashes["exemplars"]
                for each in ((first,), (second,), (first, second), (second, first))
            }
        )
        == 4
    )


def test_a_store_travels_to_other_processes() -> None:
    store = ExchangeStore((exchange("my boss", "warm", WARM), exchange("the soup", "cold", COLD)))
    before = store.retrieve("boss", WARM, 1)
    assert pickle.loads(pickle.dumps(store)).retrieve("boss", WARM, 1) == before


def test_an_encoder_finds_what_is_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small encoder with random weights: a text is most like itself, whatever else is known."""
    folder = build_encoder(tmp_path / "encoder")
    texts = ["i lost my job today .", "who cares about it ?", "so sorry that must be hard ."]
    for known in (texts, texts[::-1]):
        store = ExchangeStore(tuple(exchange(text, f"to {text}") for text in known), str(folder))
        for text in texts:
            cosines = store.index.likeness(text)
            assert cosines[known.index(text)] == pytest.approx(1)
            assert [each.reply for each in store.retrieve(text, WARM, 1)] == [f"to {text}"]
    alone = EncodedSituations([texts[0]], str(folder)).likeness(texts[1])
    assert alone == pytest.approx(EncodedSituations(texts, str(folder)).likeness(texts[1])[:1])
    assert set(store.hashes) == {"exemplars", "encoder of exemplars"}
    monkeypatch.setattr(encoded_situations, "checked_folder", lambda: folder)
    by_word = ExchangeStore(store.exchanges, "minilm")
    assert by_word.index.likeness(texts[0]) == store.index.likeness(texts[0])
    assert by_word.hashes == store.hashes
    with pytest.raises(ModelError, match="no encoder can be loaded"):
        _ = ExchangeStore(store.exchanges, str(tmp_path / "none")).index


def test_people_are_left_out_by_id_and_by_name() -> None:
    ours = exchange("a", "b", persona="someone_else"), exchange("a", "b")
    theirs = exchange("a", "b", persona="jun_park"), exchange("a", "b", persona="JUN PARK")
    assert without_people([*theirs, *ours], {"jun_park", "Jun Park"}) == ours


def test_a_file_is_read_with_levels_and_people(tmp_path: Path) -> None:
    file = tmp_path / "exchanges.jsonl"
    lines = [
        {"situation": "s", "reply": "r"},
        {"situation": "s", "reply": "r", "persona": "p", "levels": WARM.model_dump()},
    ]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert read_exchanges(file) == (exchange("s", "r"), exchange("s", "r", WARM, "p"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no exchange; each line is"),
        ('{"situation": "s", "reply": "r"}\n{"situation": "", "reply": "r"}', "2: situation: String should have"),
        ('{"situation": "s"}', "1: reply: Field required"),
        ('{"situation": "s", "reply": "r", "levels": {"emotional_reaction": 3}}', "less than or equal to 2"),
        ('{"situation": "s", "reply": "r", "note": "n"}', "note: Extra inputs are not permitted"),
        ("nonsense", "1: Invalid JSON"),
    ],
)
def test_a_fault_of_a_file_has_its_place(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "exchanges.jsonl"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_exchanges(file)
    assert says in str(caught.value)
    assert str(file) in str(caught.value)
