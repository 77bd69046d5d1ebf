"""The shipped rater: the contract of raters, what it says of plain sentences, and how fast it says it."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.agents.protocols import Exchange, Expressed, Rater
from holdfast.agents.raters import RATERS, LinearRater, make_rater
from holdfast.agents.raters.linear.rater import SHIPPED
from holdfast.agents.raters.linear.weight_files import VOCABULARY, WEIGHTS
from holdfast.core.errors import DataError, InputError

ADVICE = "Start with the smallest part of the report. Then write down what is left."


def score(reply: str) -> Expressed:
    return LinearRater().score([Exchange("I have too much to do.", reply)])[0]


@pytest.mark.parametrize("rater_id", sorted(RATERS))
async def test_contract(rater_id: str) -> None:
    rater: Rater = make_rater(rater_id)
    assert rater.id == rater_id
    assert rater.version == make_rater(rater_id).version != ""
    replies = ["I'm so sorry.", "", "...", "\u7121 \U0001f600 \x00", "word " * 5000, "What worries you?", "a?" * 3000]
    exchanges = [Exchange("", reply) for reply in replies]
    found = await rater.rate(exchanges)
    assert found == await rater.rate(exchanges)
    assert found == [(await rater.rate([one]))[0] for one in exchanges]  # never depends on the batch
    assert found[::-1] == await rater.rate(exchanges[::-1])
    assert all(0 <= level <= 2 and math.isfinite(level) for one in found for level in one.as_array())
    assert await rater.rate([]) == []


def test_a_reply_without_words_shows_nothing() -> None:
    assert score("").as_array() == score(" ... ").as_array() == (0, 0, 0)


@pytest.mark.parametrize(
    ("sentence", "mechanism", "least"),
    [
        ("I'm so sorry you are going through this.", "emotional_reaction", 1.5),
        ("I'm sorry to hear that.", "emotional_reaction", 1.5),
        ("I'm here for you.", "emotional_reaction", 1.0),
        ("I have felt the same way before an exam.", "interpretation", 1.5),
        ("I've been there.", "interpretation", 1.5),
        ("What part of the report worries you the most?", "exploration", 1.0),
        ("Why do you feel that way?", "exploration", 1.5),
    ],
)
def test_one_telling_sentence_is_heard_alone_and_beside_advice(sentence: str, mechanism: str, least: float) -> None:
    assert getattr(score(sentence), mechanism) >= least
    assert getattr(score(f"{sentence} {ADVICE}"), mechanism) >= least
    assert getattr(score(f"{ADVICE} {sentence}"), mechanism) >= least
    others = [m for m in ("emotional_reaction", "interpretation", "exploration") if m != mechanism]
    assert all(getattr(score(sentence), other) < 0.5 for other in others)


def test_advice_alone_shows_little() -> None:
    for plain in (ADVICE, "Try to split the work into smaller steps.", "Open the file and look at line ten."):
        assert max(score(plain).as_array()) < 0.5


def test_the_user_message_is_not_read() -> None:
    rater = LinearRater()
    one, other = rater.score([Exchange("Help!", "I'm sorry."), Exchange("I'm sorry, why?", "I'm sorry.")])
    assert one == other


def test_five_thousand_replies_a_second() -> None:
    rater, exchanges = LinearRater(), [Exchange("", f"I'm so sorry about it. {ADVICE} Why {n}?") for n in range(5000)]
    rater.score(exchanges[:10])
    began = time.process_time()  # this process's own time, so that a busy machine does not count
    rater.score(exchanges)
    assert time.process_time() - began < 1


def test_the_files_are_small_and_the_card_is_there() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 2_000_000
    card = (SHIPPED / "card.md").read_text(encoding="utf-8")
    assert "Sharma" in card
    assert "Where it fails" in card


def test_version_is_of_the_weights(tmp_path: Path) -> None:
    for name in (WEIGHTS, VOCABULARY):
        (tmp_path / name).write_bytes((SHIPPED / name).read_bytes())
    assert LinearRater(tmp_path).version == LinearRater().version
    other = tmp_path / "other"
    model = LinearRater(tmp_path).model
    replace(model, bias=model.bias + 1).save(other)
    assert LinearRater(other).version != LinearRater().version


def test_unreadable_weights(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rater's weights can be read there"):
        LinearRater(tmp_path).score([Exchange("", "hello")])
    (tmp_path / VOCABULARY).write_text(json.dumps({"words": ["a"]}))
    (tmp_path / WEIGHTS).write_bytes(b"not an archive")
    with pytest.raises(DataError, match="holdfast rater fit"):
        LinearRater(tmp_path).score([Exchange("", "hello")])


def test_numbers_that_do_not_fit_together(tmp_path: Path) -> None:
    model = LinearRater().model
    replace(model, idf=model.idf[:-1]).save(tmp_path / "short")
    with pytest.raises(DataError, match=r"idf has shape"):
        LinearRater(tmp_path / "short").score([Exchange("", "hello")])
    replace(model, words=model.words[1:]).save(tmp_path / "unmarked")
    with pytest.raises(DataError, match="words lack a sentence mark"):
        LinearRater(tmp_path / "unmarked").score([Exchange("", "hello")])


def test_unknown_rater() -> None:
    with pytest.raises(InputError, match=r"unknown rater 'liner'\. Allowed: linear\. Did you mean 'linear'\?"):
        make_rater("liner")
