"""A panel shows its raters, their agreement and their disputes, and averages nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.protocol import Rating, Scale
from holdfast.core.errors import InputError
from holdfast.simulator.measure.bootstrap import all_alike
from holdfast.simulator.measure.panel import agreement, disputes, require_one_scale

TWO = Scale("two", ("warmth",), 0, 2)


def ratings(*values: float | None) -> list[Rating]:
    """None is missing."""
    return [Rating(missing="empty") if value is None else Rating({"warmth": value}) for value in values]


A, B, C = ratings(0, 0, 1, 2), ratings(0, 1, 1, 2), ratings(None, 2, None, 2)


def test_agreement_by_hand() -> None:
    [one] = agreement({"a": A, "b": B, "c": C}, TWO, np.random.default_rng(0), draws=200)
    ab, ac, _ = one.pairs
    assert (ab.first, ab.second, ab.n) == ("a", "b", 4)
    assert ab.quadratic_kappa == pytest.approx(0.8)  # by hand in tests/simulator/measure/test_agreement.py
    # linear: mean |a - b| is 1/4; over all couples a = 0: 0+1+1+2 twice, a = 1: 1+0+0+1, a = 2: 2+1+1+0,
    # (4 + 4 + 2 + 4) / 16 = 7/8: 1 - (1/4) / (7/8) = 5/7
    assert ab.linear_kappa == pytest.approx(5 / 7)
    assert ab.mean_difference == pytest.approx(-0.25)
    assert (ac.n, ac.missing) == (2, 2)  # c is missing twice: left out, not 0
    assert one.n == 4
    assert math.isnan(one.interval.lo)  # four passages
    [twice] = agreement({"a": A * 2, "b": B * 2, "c": C * 2}, TWO, np.random.default_rng(0), draws=200)
    assert twice.interval.lo < twice.interval.mean < twice.interval.hi
    assert twice.ordinal.lo < twice.ordinal.mean < twice.ordinal.hi


def test_disputes_are_the_widest_gaps_with_every_score() -> None:
    first, *rest = disputes({"a": A, "b": B, "c": C}, TWO)
    assert (first.passage, first.gap, first.scores) == (1, 1.0, {"a": 0, "b": 1, "c": 2})
    assert rest == []  # the other three agree


def test_groups_are_drawn_whole_and_the_seed_decides() -> None:
    judged, five = {"a": A * 5, "b": B * 5}, [each for each in "vwxyz" for _ in A]
    one, again = (agreement(judged, TWO, np.random.default_rng(3), draws=50) for _ in "ab")
    assert one == again
    assert one[0].interval.lo < one[0].interval.hi
    [whole] = agreement(judged, TWO, np.random.default_rng(3), groups=five)  # the five conversations are the same
    assert whole.interval.reason == whole.ordinal.reason == all_alike(5, "conversations")
    assert math.isnan(whole.interval.lo)


def test_raters_who_agree_throughout_give_no_interval_without_width() -> None:
    [one] = agreement({"a": A * 2, "b": A * 2}, TWO, np.random.default_rng(0), draws=200)
    assert (one.interval.mean, one.interval.reason) == (1, "all 8 passages alike: up to 31 % may differ unseen")
    assert math.isnan(one.interval.lo)
    assert math.isnan(one.interval.hi)


def test_raters_of_two_scales_are_not_compared() -> None:
    with pytest.raises(InputError, match=r"one scale; got a \(expressed\), b \(perceived\)"):
        require_one_scale({"a": LinearRater(), "b": FittedRater(SHIPPED_PERCEIVED)})
    require_one_scale({"a": LinearRater(), "b": LinearRater()})


def test_linear_weights_over_couples() -> None:
    # the sum in test_agreement_by_hand, spelt out
    a, b = [0, 0, 1, 2], [0, 1, 1, 2]
    assert sum(abs(x - y) for x in a for y in b) == 14
