"""A panel shows its raters, their agreement and their disputes, and averages nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from holdfast.agents.protocols import Message
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import ACTS, EXPRESSED, Rating, Passage, Scale, RaterIdentity
from holdfast.agents.raters.panel import Panel, agreement, disputes
from holdfast.core.errors import InputError

TWO = Scale("two", ("warmth",), 0, 2)
STAMP = RaterIdentity("fixed", "1")


@dataclass(frozen=True)
class Fixed:
    """Gives the same scores whatever it reads; None is missing."""

    scores: tuple[float | None, ...]
    scale: Scale = TWO
    stamp: RaterIdentity = STAMP

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        return [
            Rating(missing="empty") if one is None else Rating({"warmth": one})
            for one in self.scores
        ]


A, B, C = Fixed((0, 0, 1, 2)), Fixed((0, 1, 1, 2)), Fixed((None, 2, None, 2))
PASSAGES = [Passage((Message("user", "hi"), Message("assistant", text))) for text in "abcd"]


async def test_agreement_by_hand() -> None:
    judged = await Panel({"a": A, "b": B, "c": C}).rate(PASSAGES)
    [one] = agreement(judged, TWO, np.random.default_rng(0), draws=200)
    ab, ac, _ = one.pairs
    assert (ab.first, ab.second, ab.n) == ("a", "b", 4)
    assert ab.quadratic_kappa == pytest.approx(0.8)  # by hand in tests/simulator/measure/test_agreement.py
    # linear: mean |a - b| is 1/4; over all couples a = 0: 0+1+1+2 twice, a = 1: 1+0+0+1, a = 2: 2+1+1+0,
    # (4 + 4 + 2 + 4) / 16 = 7/8: 1 - (1/4) / (7/8) = 5/7
    assert ab.linear_kappa == pytest.approx(5 / 7)
    assert ab.mean_difference == pytest.approx(-0.25)
    assert ac.n == 2  # c is missing twice: left out, not 0
    assert one.n == 4
    alpha, lo, hi = one.interval
    assert lo <= alpha <= hi


async def test_disputes_are_the_widest_gaps_with_every_score() -> None:
    judged = await Panel({"a": A, "b": B, "c": C}).rate(PASSAGES)
    first, *rest = disputes(judged, TWO)
    assert (first.passage, first.gap, first.scores) == (1, 1.0, {"a": 0, "b": 1, "c": 2})
    assert rest == []  # the other three agree


async def test_groups_are_drawn_whole_and_the_seed_decides() -> None:
    judged = await Panel({"a": A, "b": B}).rate(PASSAGES)
    one, again = (agreement(judged, TWO, np.random.default_rng(3), groups=list("xxyy"), draws=50) for _ in "ab")
    assert one == again
    [alone] = agreement(judged, TWO, np.random.default_rng(3), groups=list("xxxx"))
    assert math.isnan(alone.interval[1])


def test_raters_of_two_scales_are_no_panel() -> None:
    with pytest.raises(InputError, match=r"one scale; got a \(two\), b \(acts\)"):
        Panel({"a": A, "b": Fixed((1,), ACTS)})
    with pytest.raises(InputError, match="two raters or more"):
        Panel({"a": A})


async def test_the_linear_rater_can_sit_on_a_panel() -> None:
    rater = LinearRater()
    passage = Passage((Message("user", "I failed."), Message("assistant", "I am so sorry.")))
    [judgement] = await rater.rate([passage])
    assert rater.scale == EXPRESSED
    assert judgement.values["emotional_reaction"] > 1
    assert rater.identity.version == LinearRater().identity.version


def test_linear_weights_over_couples() -> None:
    # the sum in test_agreement_by_hand, spelt out
    a, b = [0, 0, 1, 2], [0, 1, 1, 2]
    assert sum(abs(x - y) for x in a for y in b) == 14
