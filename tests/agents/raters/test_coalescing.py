"""Gathered ratings are the ratings, asked for fewer times; a bad one hurts nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from holdfast.agents.raters.coalescing import CoalescingRater
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import EXPRESSED, Passage, RaterIdentity, Rating, expressed
from tests.passages import exchange, reply_of

REPLIES = (
    "I am so sorry that you are going through this.",
    "What part of it worries you the most? How did it begin?",
    "Try to split the work into smaller steps.",
    "",
    "I have felt the same way before a long week, and it passed. Write to one colleague first.",
)


class Counted:
    identity, scale = RaterIdentity("counted", "3"), EXPRESSED

    def __init__(self) -> None:
        self.calls: list[int] = []

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        self.calls.append(len(passages))
        if any(reply_of(passage) == "bad" for passage in passages):
            raise ValueError("cannot be rated")
        return [expressed(float(len(reply_of(passage))), 0.0, 0.0) for passage in passages]


async def test_one_call_for_all_that_ask_at_once_and_each_gets_its_own() -> None:
    rater = Counted()
    gathered = CoalescingRater(rater)
    asked = [[exchange("u", "x" * n)] * (1 + n % 2) for n in range(1, 6)]
    answers = await asyncio.gather(*(gathered.rate(one) for one in asked))
    assert rater.calls == [sum(len(one) for one in asked)]
    for one, answer in zip(asked, answers, strict=True):
        assert [rating.values["emotional_reaction"] for rating in answer] == [len(reply_of(passage)) for passage in one]
    assert gathered.identity == RaterIdentity("counted", "3")
    await gathered.rate(asked[0])
    assert len(rater.calls) == 2


async def test_one_that_cannot_be_rated_fails_alone() -> None:
    gathered = CoalescingRater(Counted())
    answers = await asyncio.gather(
        *(gathered.rate([exchange("u", reply)]) for reply in ("good", "bad", "fine")), return_exceptions=True
    )
    assert answers[0] == [expressed(4.0, 0.0, 0.0)]
    assert isinstance(answers[1], ValueError)
    assert answers[2] == [expressed(4.0, 0.0, 0.0)]


async def test_a_conversation_that_was_given_up_is_nobodys_trouble() -> None:
    gathered = CoalescingRater(Counted())
    gone = asyncio.create_task(gathered.rate([exchange("u", "gone")]))
    stays = asyncio.create_task(gathered.rate([exchange("u", "stays")]))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == [expressed(5.0, 0.0, 0.0)]
    with pytest.raises(asyncio.CancelledError):
        await gone


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16])
async def test_the_shipped_rater_scores_the_same_whatever_stands_beside(size: int) -> None:
    """Bit for bit: what is felt follows from it, and a run must not depend on who runs beside whom."""
    rater = LinearRater()
    exchanges = [exchange("u", REPLIES[n * n % len(REPLIES)] + " " + REPLIES[n % len(REPLIES)]) for n in range(48)]
    alone = [(await rater.rate([passage]))[0] for passage in exchanges]
    gathered = CoalescingRater(rater)
    at_once = []
    for start in range(0, len(exchanges), size):
        answers = await asyncio.gather(*(gathered.rate([one]) for one in exchanges[start : start + size]))
        at_once += [score for (score,) in answers]
    assert at_once == alone
