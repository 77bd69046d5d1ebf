"""Two replies compared in both orders: position and length must not decide."""

from __future__ import annotations

import json
import math

from holdfast.agents.protocols import Message
from holdfast.agents.raters.judge.pairwise import (
    PairwiseJudge,
    Preference,
    ReplyPair,
    position_report,
    verbosity_report,
)
from holdfast.agents.raters.protocol import EXPRESSED
from tests.agents.raters.judge.judge_server import Asked, Script, serve

SAID = (Message("user", "My cat died."),)
PAIRS = [ReplyPair(SAID, "Get another.", "I'm so sorry; what was she like to live with?")]


async def compared(script: Script, pairs: list[ReplyPair]) -> list[Preference]:
    with serve(script) as server:
        judge = PairwiseJudge(server.model, EXPRESSED, "scripted")
        return await judge.compare(pairs)


def preferring(asked: Asked, better: object) -> str:
    return json.dumps({"id": asked.mark, "better": better})


def warm(asked: Asked) -> str:
    """An honest judge: the reply that says sorry, wherever it is listed."""
    return preferring(asked, 1 if "sorry" in asked.conversation[1]["text"] else 2)


async def test_a_preference_that_survives_the_swap() -> None:
    [one] = await compared(warm, PAIRS)
    assert (one.better, one.as_listed, one.swapped, one.missing) == ("second", "second", "second", None)
    assert one.tokens == (200, 40)


async def test_always_the_first_is_no_preference() -> None:
    found = await compared(lambda asked: preferring(asked, 1), PAIRS * 2)
    assert [one.better for one in found] == [None, None]
    assert position_report(found) == {"consistent": 0, "first_listed": 1, "n": 2, "missing": 0}


async def test_an_answer_that_is_no_preference_is_missing() -> None:
    for text in (lambda a: "2", lambda a: preferring(a, 3), lambda a: preferring(a, "B"), lambda a: '{"better": 2}'):
        [one] = await compared(text, PAIRS)
        assert one.better is None
        assert one.missing is not None
    [one] = await compared(lambda asked: preferring(asked, "2") if asked.repair else "Reply 2!", PAIRS)
    assert one.repaired == 2


def test_reports_by_hand() -> None:
    second = Preference("second", "second", "second", 0, (0, 0))
    first = Preference("first", "first", "first", 0, (0, 0))
    torn = Preference(None, "first", "second", 0, (0, 0))  # the first listed, both times
    # answers: second (listed second, then first), first (first, second), torn (first, first): 4 of 6 went to the first
    assert position_report([second, first, torn])["first_listed"] == 4 / 6
    assert position_report([second, first, torn])["consistent"] == 2 / 3
    even = ReplyPair(SAID, "one two three", "four five six")
    # PAIRS: 2 against 9 words, won by the longer and by the shorter; even: of one length; torn: no winner
    assert verbosity_report([*PAIRS * 2, even, *PAIRS], [second, first, first, torn]) == {
        "longer": 0.5, "n": 2, "matched": 1,
    }  # fmt: skip
    assert math.isnan(verbosity_report([], [])["longer"])
    assert math.isnan(position_report([])["consistent"])
