"""Differences between groups: by hand, beside scipy, beside the sign-flip test, and on data of known truth."""

import numpy as np
import pytest
from scipy import stats

from holdfast.simulator.measure.group_difference import _standard_errors, group_difference
from holdfast.simulator.measure.pairwise import sign_flip_p


def rng(seed=0):
    return np.random.default_rng(seed)


def unpaired(a, b):
    """Sums of people with one conversation each: those of ``a``, then those of ``b``."""
    first, second = np.zeros((len(a) + len(b), 2)), np.zeros((len(a) + len(b), 2))
    first[: len(a)] = np.stack([a, np.ones(len(a))], axis=1)
    second[len(a) :] = np.stack([b, np.ones(len(b))], axis=1)
    return first, second


def paired(a, b):
    return tuple(np.stack([values, np.ones(len(values))], axis=1) for values in (a, b))


def test_by_hand():
    """Person 1 has conversations of 0.2 and 0.4 in a, the others 0.6 each: (0.2 + 0.4 + 4 x 0.6) / 6 - 0.1 = 0.4."""
    a, b = np.array([[0.6, 2.0], *[[0.6, 1.0]] * 4]), np.array([[0.1, 1.0], [0.0, 1.0], [0.2, 1.0]] * 5)
    result = group_difference(np.pad(a, ((0, 15), (0, 0))), np.pad(b, ((5, 0), (0, 0))), rng())
    assert result.mean == pytest.approx(0.4)
    assert (result.people_a, result.people_b, result.people_both, result.design) == (5, 15, 0, "unpaired")
    assert result.lo < 0.4 < result.hi


def test_unpaired_is_welch():
    a, b = rng(1).normal(0, 1, 9), rng(2).normal(0.8, 3, 17)
    sums = np.stack(unpaired(a, b))
    difference, error = _standard_errors(sums, sums[:, :, 1] > 0, np.zeros((1, 26)))
    welch = stats.ttest_ind(a, b, equal_var=False)
    assert difference[0] / error[0] == pytest.approx(welch.statistic)
    expected = stats.permutation_test(
        (a, b),
        lambda x, y, axis: stats.ttest_ind(x, y, equal_var=False, axis=axis).statistic,
        vectorized=True,
        n_resamples=9999,
        rng=rng(3),
    )
    assert group_difference(*unpaired(a, b), rng(4)).p == pytest.approx(expected.pvalue, abs=0.02)


def test_paired_is_the_sign_flip_test_and_student():
    a = rng(5).normal(0, 1, 12)
    b = a + rng(6).normal(0.4, 0.6, 12)
    sums = np.stack(paired(a, b))
    difference, error = _standard_errors(sums, sums[:, :, 1] > 0, np.zeros((1, 12)))
    assert difference[0] / error[0] == pytest.approx(stats.ttest_rel(a, b).statistic)
    result = group_difference(*paired(a, b), rng(7))
    assert result.design == "paired"
    assert result.p == pytest.approx(sign_flip_p(a - b, np.arange(12), rng(8)), abs=0.01)
    alone = group_difference(*unpaired(a, b), rng(9))
    assert (result.hi - result.lo) < (alone.hi - alone.lo)  # people are their own control


def test_the_error_of_a_permutation_is_that_of_permuted_people():
    """Swapping and dealing out by hand gives what one matrix product gives; two people are in both groups."""
    a, b = rng(10).random((9, 2)) + 0.5, rng(11).random((9, 2)) + 0.5
    a[6:], b[2:6] = 0.0, 0.0
    sums, swapped = np.stack([a, b]), np.array([1.0, 0, 0, 1, 1, 0, 1, 0, 1])
    by_hand = np.where(swapped[None, :, None] == 1, sums[::-1], sums)
    moved = _standard_errors(sums, sums[:, :, 1] > 0, swapped[None])
    redone = _standard_errors(by_hand, by_hand[:, :, 1] > 0, np.zeros((1, 9)))
    assert np.array(moved) == pytest.approx(np.array(redone))


def test_fewer_than_five_people_are_not_tested():
    for n, said in ((1, "1 person: cannot be tested"), (4, "4 people: cannot be tested")):
        result = group_difference(*unpaired(rng(1).random(n), rng(2).random(30)), rng())
        assert (result.note, np.isnan([result.lo, result.hi, result.p]).all()) == (said, True)
        assert not np.isnan(result.mean)
    assert group_difference(*unpaired(rng(1).random(5), rng(2).random(5)), rng()).note == ""


def test_people_who_do_not_differ_are_not_tested():
    result = group_difference(*unpaired(np.full(8, 0.5), np.full(8, 0.25)), rng())
    assert (result.mean, result.note) == (0.25, "people do not differ: nothing to test")
    assert np.isnan([result.lo, result.hi, result.p]).all()


@pytest.mark.parametrize("shared", [0, 6, 12])
def test_levels_hold_where_nothing_differs(shared):
    """No difference in truth; people differ, have one to four conversations, and those of b have three times the
    spread; ``shared`` of the people are in both groups. p < .05 in about 5 %, limits cover 0 in about 95 %."""
    beyond = covered = 0
    for trial in range(300):
        draw = rng((13, trial))
        level = draw.normal(0, 0.2, 12 + 24 - shared)
        groups = []
        for spread, members in ((0.1, range(12)), (0.3, range(12 - shared, 36 - shared))):
            sums = np.zeros((len(level), 2))
            for person in members:
                n = draw.integers(1, 5)
                sums[person] = level[person] * n + draw.normal(0, spread, n).sum(), n
            groups.append(sums)
        result = group_difference(*groups, draw, draws=400, permutations=199)
        beyond += result.p < 0.05
        covered += result.lo < 0 < result.hi
    assert beyond / 300 < 0.09
    assert covered / 300 > 0.91


def test_a_difference_in_truth_is_seen():
    a, b = rng(1).normal(0.8, 0.1, 20), rng(2).normal(0.6, 0.1, 25)
    result = group_difference(*unpaired(a, b), rng())
    assert result.p < 0.001
    assert 0.1 < result.lo < 0.2 < result.hi < 0.3


def test_the_same_seed_the_same_figures():
    groups = unpaired(rng(1).random(9), rng(2).random(7))
    assert group_difference(*groups, rng(5)) == group_difference(*groups, rng(5))
