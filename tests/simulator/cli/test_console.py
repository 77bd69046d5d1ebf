"""Cells of tables: numbers, and figures with their limits or the reason why there are none."""

from __future__ import annotations

import math

import pytest

from holdfast.simulator.cli.console import interval_cell, number_cell
from holdfast.simulator.measure.bootstrap import Interval, all_alike
from holdfast.simulator.measure.estimates import Estimate


def test_numbers_round_as_people_do() -> None:
    given = [(33.25, 1), (0.125, 2), (-0.5, 0), (None, 2), (math.nan, 2)]
    assert [number_cell(value, digits) for value, digits in given] == ["33.3", "0.13", "-1", "-", "-"]
    assert interval_cell(Estimate(mean=54.8, lo=None, hi=None), 1) == "54.8"


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (Estimate(mean=0.5, lo=0.4, hi=0.6), "0.50 [0.40, 0.60]"),
        (Estimate(mean=0.5, lo=0.4, hi=0.6, reason="limits allow for what was not seen"), "0.50 [0.40, 0.60]"),
        (Estimate(mean=0.5, lo=None, hi=0.6), "0.50 [-, 0.60]"),
        (Estimate(mean=0.5, lo=None, hi=None, reason=all_alike(12)), "0.50 [all alike]"),
        (Interval(1.0, math.nan, math.nan, 12, all_alike(12)), "1.00 [all alike]"),
        (Interval(1.0, math.nan, math.nan, 4), "1.00"),
        (Estimate(mean=None, lo=None, hi=None, reason="cannot tell"), "-"),
        (None, "-"),
    ],
)
def test_a_figure_shows_its_limits_or_that_nothing_varies(figure: Estimate | Interval | None, said: str) -> None:
    assert interval_cell(figure) == said
