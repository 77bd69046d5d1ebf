"""Behind the gate a rater is the same, but for replies that fail and for languages that it does not know."""

import math

import pytest

from holdfast.agents.protocols import Message
from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.gate.rater import GatedRater, ungated
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import NO_REPLY, Passage, Rater
from tests.agents.raters.gate.replies import FAILING, GRIEF
from tests.agents.raters.gate.test_language import OTHERS
from tests.passages import exchange

WARM = "I'm so sorry for your loss. What was she like?"
RATERS = (LinearRater(), FittedRater(SHIPPED_PERCEIVED))


@pytest.mark.parametrize("rater", RATERS)
async def test_an_ordinary_reply_is_rated_as_without_the_gate(rater: Rater) -> None:
    passages = [exchange(GRIEF, WARM), Passage((*exchange(GRIEF, WARM).messages,), whole=True)]
    gated = GatedRater(rater)
    assert await gated.rate(passages) == await rater.rate(passages)
    assert (gated.identity, gated.scale, ungated(gated), ungated(rater)) == (rater.identity, rater.scale, rater, rater)
    assert await gated.rate([]) == []


@pytest.mark.parametrize("rater", RATERS)
async def test_a_failure_is_known_and_has_no_level(rater: Rater) -> None:
    replies = [(failure, reply) for failure, replies in FAILING.items() for reply in replies]
    ratings = await GatedRater(rater).rate([exchange(GRIEF, reply) for _, reply in replies])
    assert [rating.disqualified for rating in ratings] == [failure for failure, _ in replies]
    assert all(rating.missing is None for rating in ratings)
    assert all(math.isnan(level) for rating in ratings for level in rating.levels(rater.scale.dimensions))


@pytest.mark.parametrize("rater", RATERS)
async def test_another_language_is_unrated_beside_what_is_rated(rater: Rater) -> None:
    foreign = [exchange(GRIEF, text) for text in OTHERS.values()]
    ratings = await GatedRater(rater).rate([exchange(GRIEF, WARM), *foreign, exchange(GRIEF, WARM)])
    assert ratings[0] == ratings[-1]
    assert ratings[0].values
    assert [rating.missing for rating in ratings[1:-1]] == [
        f"in a language that the rater does not know ({language})" for language in OTHERS
    ]
    assert not any(rating.values or rating.disqualified for rating in ratings[1:-1])


async def test_without_a_reply_nothing_is_asked() -> None:
    ratings = await GatedRater(LinearRater()).rate([Passage(()), Passage((Message("user", GRIEF),))])
    assert [rating.missing for rating in ratings] == [NO_REPLY, NO_REPLY]
