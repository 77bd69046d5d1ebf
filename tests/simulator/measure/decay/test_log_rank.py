import math

import numpy as np
import pytest
from statsmodels.duration.survfunc import survdiff

from holdfast.simulator.measure.decay.log_rank import log_rank, martingale_residuals
from tests.simulator.measure.making import rng

YES, NO = True, False


def test_by_hand():
    # a breaks at 1 and 3, b at 2 and is censored at 4. At risk 4, 3, 2; of a 2, 1, 1; one event at each.
    # expected of a: 2/4 + 1/3 + 1/2 = 4/3, observed 2; variance 1/4 + 2/9 + 1/4 = 13/18:
    # chi2 = (2/3)^2 / (13/18) = 8/13
    a, b = (np.array([1, 3]), np.array([YES, YES])), (np.array([2, 4]), np.array([YES, NO]))
    found = log_rank(a, b, (["p", "q"], ["p", "q"]), rng())
    assert found.a_minus_expected == pytest.approx(2 / 3)
    assert found.chi2 == pytest.approx(8 / 13)
    # residuals: 1 - 1/4, 1 - (1/4 + 1/3 + 1/2), 1 - (1/4 + 1/3), -(1/4 + 1/3 + 1/2)
    time, happened = np.array([1, 3, 2, 4]), np.array([YES, YES, YES, NO])
    assert martingale_residuals(time, happened) == pytest.approx([3 / 4, -1 / 12, 5 / 12, -13 / 12])


def test_parity_with_statsmodels_and_residuals_add_up_to_0():
    draw = rng(4)
    time, happened, side = draw.integers(1, 20, 80), draw.random(80) < 0.6, np.repeat([0, 1], 40)
    names = [str(i % 10) for i in range(40)]
    found = log_rank((time[:40], happened[:40]), (time[40:], happened[40:]), (names, names), draw)
    assert (found.chi2, found.p) == pytest.approx(survdiff(time, happened.astype(int), side))
    assert martingale_residuals(time, happened).sum() == pytest.approx(0)
    assert found.n == 80


def test_undefined_says_why():
    none = np.array([3, 4]), np.array([NO, NO])
    names = (["p", "q"], ["p", "q"])
    found = log_rank(none, none, names, rng())
    assert math.isnan(found.p)
    assert found.note == "no conversation broke on either side"
    short = np.array([0, 0]), np.array([NO, NO])
    assert log_rank((np.array([3, 4]), np.array([YES, NO])), short, names, rng()).note.startswith("one side has")


def test_pairs_see_what_shared_personas_hide():
    # every persona breaks one turn later with b; personas differ by far more than that
    when = np.arange(1, 13)
    names = [f"p{i}" for i in range(12)]
    found = log_rank((when, np.full(12, YES)), (when + 1, np.full(12, YES)), (names, names), rng())
    assert found.p > 0.3
    assert found.p_paired < 0.01


@pytest.mark.slow
def test_pairs_reject_a_true_null_in_one_of_twenty():
    draw = rng(9)
    names = [f"p{i // 2}" for i in range(24)]
    low = 0
    for _ in range(1000):
        persona = draw.exponential(8, 12).repeat(2)
        a, b = (np.ceil(persona * draw.exponential(1, 24)).astype(int) for _ in "ab")
        events = [(np.minimum(x, 20), x <= 20) for x in (a, b)]
        low += log_rank(events[0], events[1], (names, names), draw, flips=499).p_paired <= 0.05
    print("rejected", low / 1000)
    assert 0.03 <= low / 1000 <= 0.07


def test_where_all_break_at_once_there_is_no_variance_and_no_crash():
    side = np.array([3, 3, 3, 3, 3]), np.array([YES] * 5)
    people = ["p", "q", "r", "s", "t"]
    test = log_rank(side, side, (people, people), rng())
    assert (np.isnan(test.chi2), np.isnan(test.p), test.note) == (True, True, "all broke at the same turns")
    assert test.a_minus_expected == pytest.approx(0)
    assert test.p_paired == 1.0  # swapping sides changes nothing
