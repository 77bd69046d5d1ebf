"""A panel shows its raters, their agreement and their disputes, and averages nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.panel import agreement, disputes, require_one_scale
from holdfast.agents.raters.protocol import Rating, Scale
from holdfast.core.errors import InputError

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
    alpha, lo, hi = one.interval
    assert lo <= alpha <= hi


def test_disputes_are_the_widest_gaps_with_every_score() -> None:
    first, *rest = disputes({"a": A, "b": B, "c": C}, TWO)
    assert (first.passage, first.gap, first.scores) == (1, 1.0, {"a": 0, "b": 1, "c": 2})
    assert rest == []  # the other three agree


def test_groups_are_drawn_whole_and_the_seed_decides() -> None:
    judged = {"a": A, "b": B}
    one, again = (agreement(judged, TWO, np.random.default_rng(3), groups=list("xxyy"), draws=50) for _ in "ab")
    assert one == again
    [alone] = agreement(judged, TWO, np.random.default_rng(3), groups=list("xxxx"))
    assert math.isnan(alone.interval[1])


def test_raters_of_two_scales_are_not_compared() -> None:
    with pytest.raises(InputError, match=r"one scale; got a \(expressed\), b \(perceived\)"):
        require_one_scale({"a": LinearRater(), "b": FittedRater(SHIPPED_PERCEIVED)})
    require_one_scale({"a": LinearRater(), "b": LinearRater()})


def test_linear_weights_over_couples() -> None:
    # the sum in test_agreement_by_hand, spelt out
    a, b = [0, 0, 1, 2], [0, 1, 1, 2]
    assert sum(abs(x - y) for x in a for y in b) == 14
