import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from holdfast.simulator.measure.pairwise import align, compare_all, holm, sign_flip_p
from tests.simulator.measure.making import rng


def test_align_pairs_the_same_user():
    a, b = align(["x", "y", "z"], ["z", "x", "w"])
    assert (a.tolist(), b.tolist()) == ([0, 2], [1, 0])
    assert [len(rows) for rows in align(["x"], [])] == [0, 0]


def test_by_hand():
    # both met ana and ben: differences .9 - .5 = .4 and .7 - .5 = .2, mean .3. Cleo met a only: left out.
    [found] = compare_all(
        "adherence",
        values={"a": np.array([0.9, 0.7, 0.1]), "b": np.array([0.5, 0.5])},
        keys={"a": ["ana/0", "ben/0", "cleo/0"], "b": ["ben/0", "ana/0"]},
        groups={"a": ["ana", "ben", "cleo"], "b": ["ben", "ana"]},
        rng=rng(),
    )
    assert (found.a, found.b, found.metric, found.n) == ("a", "b", "adherence", 2)
    assert found.mean == pytest.approx(0.3)
    assert (found.lo, found.hi, found.p) == (None, None, None)  # two people: cannot be tested


def test_every_pair_once():
    one = np.full(5, 0.5)
    found = compare_all(
        "adherence",
        values=dict.fromkeys("abcd", one),
        keys=dict.fromkeys("abcd", tuple("vwxyz")),
        groups=dict.fromkeys("abcd", tuple("vwxyz")),
        rng=rng(),
    )
    assert [(c.a, c.b) for c in found] == [("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")]
    assert all(c.p == c.p_holm == 1.0 for c in found)  # no difference at all


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


@settings(max_examples=20, deadline=None)  # statsmodels takes 50 ms for each
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_statsmodels(values):
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])
