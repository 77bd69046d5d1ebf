"""The shipped rater: the contract of raters, what it says of plain sentences, and how fast it says it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.agents.raters.linear.legibility import NO_WORDS, OTHER_SCRIPT, OTHER_WORDS
from holdfast.agents.raters.linear.rater import SHIPPED, LinearRater
from holdfast.agents.raters.linear.weight_files import VOCABULARY, WEIGHTS
from holdfast.agents.raters.protocol import EXPRESSED, NO_REPLY, Passage, Rater, Rating
from holdfast.core.errors import DataError
from tests.passages import exchange

ADVICE = "Start with the smallest part of the report. Then write down what is left."


def score(reply: str) -> Rating:
    return LinearRater().score([exchange("I have too much to do.", reply)])[0]


async def test_contract() -> None:
    rater: Rater = LinearRater()
    assert rater.identity == LinearRater().identity
    replies = ["I'm so sorry.", "...", "\u7121 \U0001f600 \x00", "word " * 5000, "What worries you?", "a?" * 3000]
    passages = [exchange("", reply) for reply in replies]
    ratings = await rater.rate(passages)
    assert ratings == await rater.rate(passages)
    assert ratings == [(await rater.rate([passage]))[0] for passage in passages]  # never depends on the batch
    assert ratings[::-1] == await rater.rate(passages[::-1])
    rated = [rating for rating in ratings if rating.missing is None]
    assert all(0 <= level <= 2 for rating in rated for level in rating.levels(EXPRESSED.dimensions))
    assert [bool(rating.missing) for rating in ratings] == [False, True, True, False, False, False]
    assert await rater.rate([]) == []


def test_what_cannot_be_read_is_missing_and_not_zero() -> None:
    assert score("").missing == score(" \n").missing == NO_REPLY
    assert score(" ... ").missing == score("\U0001f44d 42").missing == NO_WORDS
    assert score("\u4f60\u597d").missing == OTHER_SCRIPT
    assert score("Das tut mir sehr leid, ich verstehe deine Sorgen.").missing == OTHER_WORDS
    assert score("Use a table.").missing is None
    german = exchange("Hm.", "Das tut mir leid.").messages
    both = Passage((*exchange("Hm.", "I am so sorry.").messages, *german), whole=True)
    assert LinearRater().score([both])[0] == score("I am so sorry.")  # the mean of what could be read


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
    assert score(sentence).values[mechanism] >= least
    assert score(f"{sentence} {ADVICE}").values[mechanism] >= least
    assert score(f"{ADVICE} {sentence}").values[mechanism] >= least
    others = [m for m in ("emotional_reaction", "interpretation", "exploration") if m != mechanism]
    assert all(score(sentence).values[other] < 0.5 for other in others)


def test_advice_alone_shows_little() -> None:
    for plain in (ADVICE, "Try to split the work into smaller steps.", "Open the file and look at line ten."):
        assert max(score(plain).values.values()) < 0.5


def test_the_user_message_is_not_read() -> None:
    rater = LinearRater()
    one, other = rater.score([exchange("Help!", "I'm sorry."), exchange("I'm sorry, why?", "I'm sorry.")])
    assert one == other


def test_five_thousand_replies_a_second() -> None:
    rater, exchanges = LinearRater(), [exchange("", f"I'm so sorry about it. {ADVICE} Why {n}?") for n in range(5000)]
    rater.score(exchanges[:10])
    took = []
    for _ in range(3):  # a thousand tests share this process: a collection of its garbage may fall into one
        began = time.process_time()  # this process's own time, so that a busy machine does not count
        rater.score(exchanges)
        took.append(time.process_time() - began)
    assert min(took) < 1


def test_the_files_are_small_and_the_card_is_there() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 2_000_000
    card = (SHIPPED / "card.md").read_text(encoding="utf-8")
    assert "Sharma" in card
    assert "Where it fails" in card


def test_version_is_of_the_weights(tmp_path: Path) -> None:
    for name in (WEIGHTS, VOCABULARY):
        (tmp_path / name).write_bytes((SHIPPED / name).read_bytes())
    assert LinearRater(tmp_path).identity.version == LinearRater().identity.version
    other = tmp_path / "other"
    model = LinearRater(tmp_path).model
    replace(model, bias=model.bias + 1).save(other)
    assert LinearRater(other).identity.version != LinearRater().identity.version


def test_unreadable_weights(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rater's weights can be read there"):
        LinearRater(tmp_path).score([exchange("", "hello")])
    (tmp_path / VOCABULARY).write_text(json.dumps({"words": ["a"]}))
    (tmp_path / WEIGHTS).write_bytes(b"not an archive")
    with pytest.raises(DataError, match="holdfast rater fit"):
        LinearRater(tmp_path).score([exchange("", "hello")])


def test_numbers_that_do_not_fit_together(tmp_path: Path) -> None:
    model = LinearRater().model
    replace(model, idf=model.idf[:-1]).save(tmp_path / "short")
    with pytest.raises(DataError, match=r"idf has shape"):
        LinearRater(tmp_path / "short").score([exchange("", "hello")])
    replace(model, words=model.words[1:]).save(tmp_path / "unmarked")
    with pytest.raises(DataError, match="words lack a sentence mark"):
        LinearRater(tmp_path / "unmarked").score([exchange("", "hello")])
