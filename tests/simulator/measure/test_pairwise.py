import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from holdfast.simulator.measure.pairwise import PairResults, align, holm, sign_flip_p
from holdfast.simulator.measure.power import VarianceResults
from tests.simulator.measure.making import rng


def test_align_pairs_the_same_user():
    a, b = align(["x", "y", "z"], ["z", "x", "w"])
    assert (a.tolist(), b.tolist()) == ([0, 2], [1, 0])
    assert [len(rows) for rows in align(["x"], [])] == [0, 0]


def pair(**figures):
    """A difference of .1 from .02 to .18 before ten people, and whatever else."""
    known = {"mean": 0.1, "lo": 0.02, "hi": 0.18, "p": 0.01, "n": 10, "people": 10, "pairs": 1, "smallest": 0.1}
    spread = VarianceResults.undefined(personas=10, truncated=False)
    names = {"a": "a", "b": "b", "metric": "adherence", "family": "alike", "variance": spread}
    return PairResults(**{**known, **names, **figures})


def test_one_verdict_of_a_pair():
    assert (pair().verdict, pair().shown) == ("higher", True)
    assert pair(mean=-0.1, lo=-0.18, hi=-0.02).verdict == "lower"
    assert (pair(lo=-0.02).verdict, pair(lo=-0.02).shown) == ("not shown", False)
    doubted = pair(doubt="3 unrated replies could turn it")
    assert (doubted.verdict, doubted.shown) == ("undecided", False)
    few = pair(lo=None, hi=None, p=None, people=2)
    assert (few.verdict, few.shown, few.untested) == ("untested", False, "2 people: cannot be tested")
    assert pair(mean=None, lo=None, hi=None).verdict == "never met"


def test_the_p_of_sign_flips_by_hand():
    # six clusters with sums 1: |sum| is 6 for 2 of the 64 sign patterns: p = 1/32
    p = sign_flip_p(np.ones(6), np.arange(6), rng(), flips=40_000)
    assert p == pytest.approx(1 / 32, abs=0.003)
    # two episodes of one cluster flip together: 2 of 32 patterns
    assert sign_flip_p(np.ones(6), np.array([0, 0, 1, 2, 3, 4]), rng(), flips=40_000) == pytest.approx(
        1 / 16, abs=0.005
    )
    assert math.isnan(sign_flip_p(np.ones(6), np.array([0, 0, 1, 1, 2, 3]), rng()))  # four people


def test_the_p_of_sign_flips_is_scipys():
    values = rng(2).normal(0.4, 1, size=30)
    theirs = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=20_000, random_state=1)
    assert sign_flip_p(values, np.arange(30), rng(), flips=20_000) == pytest.approx(theirs.pvalue, abs=0.01)


def test_holm_by_hand():
    # sorted .01, .02, .04: times 3, 2, 1: .03, .04, .04
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.5, float("nan")]) == pytest.approx([0.5, np.nan], nan_ok=True)
    assert holm([]).tolist() == []


@pytest.mark.slow
@settings(max_examples=20, deadline=None)  # statsmodels takes 50 ms for each
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_statsmodels(values):
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])
