"""Three tests and one verdict: by hand, against statsmodels, and in sentences that cannot contradict each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import ttost_paired

from holdfast.simulator.config.holding import HoldingTerms
from holdfast.simulator.measure.bootstrap import all_alike
from holdfast.simulator.measure.clustered import ClusteredMean
from holdfast.simulator.measure.decay.holds import HoldsResults, holds
from holdfast.simulator.measure.estimates import Estimate
from tests.simulator.measure.making import rng

TERMS = HoldingTerms(margin=0.1, level=0.7, below_base=0.05)
NOTHING = ClusteredMean(math.nan, math.nan, 0, 0)


def verdict(first, last, beside=None, people=None, **settings) -> HoldsResults:
    """One conversation a persona; ``beside``: the last quarter less the baseline's."""
    codes = np.arange(len(last)) if people is None else np.asarray(people)
    base = None if beside is None else ClusteredMean.of(np.asarray(beside, float), codes)
    return holds(np.asarray(first, float), np.asarray(last, float), codes, TERMS, base, **settings)


def test_by_hand() -> None:
    # changes -.04, -.02, 0, .02, .04: mean 0, sd .0316, SE .01414, t(4, .95) = 2.1318: +-.03015, within .1
    # ends .86 .. .94: mean .9, the same SE: above .9 - .03015 = .86985
    found = verdict([0.9] * 5, np.array([0.86, 0.88, 0.9, 0.92, 0.94]), [-0.02] * 5)
    assert (found.change.lo, found.change.hi) == pytest.approx((-0.03015, 0.03015), abs=1e-5)
    assert found.level.lo == pytest.approx(0.86985, abs=1e-5)
    assert (found.base.mean, found.base.above) == (pytest.approx(-0.02), -0.05)
    assert [test.outcome for test in found.tests] == ["passed"] * 3
    assert (found.verdict, found.course) == ("holds", "steady")
    assert found.why == "moves by less than 0.10, ends above 0.70, ends no more than 0.05 below the baseline"


@pytest.mark.parametrize("seed", range(3))
def test_the_first_test_is_statsmodels_two_one_sided_tests(seed: int) -> None:
    draw = rng(seed)
    early, late = draw.normal(0.9, 0.1, 20), draw.normal(0.86, 0.1, 20)
    p, *_ = ttost_paired(late, early, -0.1, 0.1)
    assert (verdict(early, late).change.outcome == "passed") == (p < 0.05)


NOISE = rng(1).normal(0, 0.02, 12)


@pytest.mark.parametrize(
    ("first", "last", "beside", "expected", "course", "why"),
    [
        (0.9, 0.9, 0.3, "holds", "steady", "moves by less than 0.10, ends above 0.70, ends no more than"),
        (0.9, 0.72, 0.3, "does not hold", "falls", "falls by more than 0.10"),
        (0.55, 0.9, 0.3, "does not hold", "rises", "rises by more than 0.10"),
        (0.6, 0.6, 0.0, "does not hold", "steady", "ends below 0.70"),  # it never was good
        (0.9, 0.9, -0.1, "does not hold", "steady", "ends more than 0.05 below the baseline"),
        (0.7, 0.7, 0.0, "cannot be told", "steady", "is not shown to end above 0.70"),
        (0.9, 0.8, 0.3, "cannot be told", "falls", "may move by 0.10 or more"),
        (0.9, 0.9, -0.05, "cannot be told", "steady", "may end 0.05 or more below the baseline"),
    ],
)
def test_verdicts_say_which_test_failed(first, last, beside, expected, course, why) -> None:
    found = verdict(first - NOISE, last + NOISE, beside + NOISE)
    assert (found.verdict, found.course) == (expected, course)
    assert found.why.startswith(why)


def test_the_baseline_is_not_compared_with_itself_and_without_one_it_cannot_be_told() -> None:
    itself = verdict(0.9 - NOISE, 0.9 + NOISE)
    assert (itself.verdict, itself.base.outcome, itself.base.lo) == ("holds", "is the baseline", None)
    nobody = holds(0.9 - NOISE, 0.9 + NOISE, np.arange(12), TERMS, NOTHING)
    assert (nobody.verdict, nobody.base.outcome) == ("cannot be told", "untested")


def test_below_the_baseline_only_where_the_comparison_shows_it() -> None:
    settings = {"first": 0.9 - NOISE, "last": 0.9 + NOISE, "beside": -0.1 + NOISE}
    assert verdict(**settings).verdict == "does not hold"
    assert verdict(**settings, shown_below_base=False).verdict == "cannot be told"


def test_a_fall_whose_retention_may_be_1_is_not_called_one() -> None:
    """Changes about -.09, limits below 0 and not within .1: a fall, unless retention's own limits reach 1."""
    first, last = np.full(12, 0.95), 0.86 + np.linspace(-0.1, 0.1, 12)  # -.09 -+ .034
    for hi, course in ((0.99, "falls"), (1.01, "no change is shown"), (None, "falls")):
        kept = Estimate(mean=0.93, lo=None if hi is None else 0.88, hi=hi)
        assert verdict(first, last, 0.3 + NOISE, retention=kept).course == course
    clear = verdict(first, last - 0.2, 0.3 + NOISE, retention=Estimate(mean=0.7, lo=0.6, hi=1.01))
    assert (clear.course, clear.change.outcome) == ("falls", "failed")


@pytest.mark.parametrize("people", [5, 12])
def test_whose_end_is_0_before_everyone_does_not_hold(people: int) -> None:
    """No limits of what does not vary; the sign test refuses a level above 0, however low, from five people on."""
    terms = HoldingTerms(margin=0.1, level=0.05, below_base=0.05)
    first, last = np.linspace(0.5, 0.9, people), np.zeros(people)
    found = holds(first, last, np.arange(people), terms, ClusteredMean.of(last - 0.4 * first, np.arange(people)))
    assert (found.level.lo, found.level.hi, found.level.outcome) == (None, None, "failed")
    assert found.level.reason == found.level.estimate.reason == all_alike(people)
    assert (found.verdict, found.course) == ("does not hold", "falls")
    assert "ends below 0.05" in found.why
    nothing = holds(last, last, np.arange(people), terms, None)  # nor does who was 0 from the start
    assert (nothing.verdict, nothing.course, nothing.why) == ("does not hold", "steady", "ends below 0.05")


@pytest.mark.parametrize(
    ("first", "last", "expected", "course", "why"),
    [
        (1.0, 1.0, "holds", "steady", "moves by less than 0.10, ends above 0.70, ends no more than"),
        (1.0, 0.8, "does not hold", "falls", "falls by more than 0.10"),
        (0.8, 1.0, "does not hold", "rises", "rises by more than 0.10"),
        (0.75, 0.7, "cannot be told", "steady", "is not shown to end above 0.70"),  # exactly at the level
    ],
)
def test_where_everyone_is_alike_signs_decide(first, last, expected, course, why) -> None:
    found = verdict([first] * 5, [last] * 5, [0.0] * 5)
    assert [(test.lo, test.hi, test.reason) for test in found.tests] == [(None, None, all_alike(5))] * 3
    assert (found.verdict, found.course) == (expected, course)
    assert found.why.startswith(why)


def test_two_people_cannot_be_tested() -> None:
    found = verdict([0.9] * 8, [0.5] * 8, [0.1] * 8, people=[0, 1] * 4)
    assert (found.verdict, found.course, found.why) == ("cannot be told", "untested", "2 people: cannot be tested")
    assert [(test.lo, test.hi, test.outcome) for test in found.tests] == [(None, None, "untested")] * 3
    assert found.change.mean == pytest.approx(-0.4)


def test_who_did_not_reach_the_end_is_counted() -> None:
    found = verdict([0.9] * 8, [0.9] * 6 + [math.nan] * 2)
    assert found.note == "2 of 8 conversations did not reach the last quarter and are left out"


values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@settings(max_examples=200, deadline=None)
@given(values, st.data())
def test_one_verdict_and_one_course_whatever_the_data(last, data) -> None:
    """Where it holds it is steady and no test failed; where it falls the change is not passed; few are not tested."""
    some = {"min_size": len(last), "max_size": len(last)}
    first, base = (data.draw(st.lists(st.floats(0, 1), **some)) for _ in range(2))
    found = verdict(first, last, np.subtract(last, base))
    outcomes = {test.outcome for test in found.tests}
    assert (found.verdict == "holds") == (outcomes == {"passed"})
    assert (found.verdict == "does not hold") == ("failed" in outcomes)
    assert (found.course == "steady") == (found.change.outcome == "passed")
    if found.course == "falls":
        assert found.change.ends[1] < 0
        assert "moves by less" not in found.why
    if len(last) < 5:
        assert (outcomes, found.course) == ({"untested"}, "untested")
    assert found.why
