import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_paired

from holdfast.simulator.measure.bootstrap import Resamples
from holdfast.simulator.measure.decay.equivalence import cluster_means, equivalence, two_one_sided_t
from tests.simulator.measure.making import rng

NAN = float("nan")


def verdict(change, margin=0.1):
    names = [str(i) for i in range(len(change))]
    return equivalence(np.asarray(change, float), Resamples.of(names, rng()), margin)


def test_by_hand():
    # persona means -.02, 0, .02: mean 0, sd .02, error .02 / sqrt 3 = .011547; t = .1 / .011547 = 8.6603, 2 df:
    # one-sided p = 1/2 - t / (2 sqrt(t^2 + 2)) = 1/2 - 8.6603 / (2 * 8.7750) = .00654; 90 %: 2.9200 * .011547 = .03372
    p, lo, hi = two_one_sided_t(np.array([-0.02, 0.0, 0.02]), 0.1)
    assert (p, lo, hi) == pytest.approx((0.00654, -0.03372, 0.03372), abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_parity_with_statsmodels(seed):
    draw = rng(seed)
    early, late = draw.normal(0.9, 0.1, 20), draw.normal(0.88, 0.1, 20)
    theirs, *_ = ttost_paired(late, early, -0.1, 0.1)
    assert two_one_sided_t(late - early, 0.1)[0] == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (rng(1).normal(0, 0.03, 20), "holds"),
        (rng(1).normal(-0.3, 0.03, 20), "falls"),
        (rng(1).normal(0.3, 0.03, 20), "rises"),
        (rng(1).normal(-0.1, 0.1, 20), "undecided"),
        (rng(1).normal(0, 0.5, 6), "undecided"),  # "not significant", and yet nothing is shown
        ([0.0] * 5, "holds"),
    ],
)
def test_verdicts(change, expected):
    assert verdict(change).verdict == expected


def test_the_persona_is_the_unit():
    names = list("aabbb")
    found = equivalence(np.array([0.1, 0.3, -0.1, NAN, 0.0]), Resamples.of(names, rng()), 0.5)
    assert (found.n, found.personas) == (4, 2)
    assert found.change == pytest.approx(0.075)  # over episodes; persona means are .2 and -.05
    assert cluster_means(np.array([0.1, 0.3, -0.1, NAN, 0.0]), np.array([0, 0, 1, 1, 1])) == pytest.approx([0.2, -0.05])


def test_fewer_than_five_personas_are_undefined_and_a_margin_is_above_0():
    found = equivalence(np.array([0.1, 0.2]), Resamples.of(["a", "a"], rng()))
    assert found.verdict == "undefined"
    assert found.note == "undefined: change is known for 1 persona, at least 5 are needed"
    assert (found.lo, found.t_lo, found.p_t) == (None, None, None)
    four = equivalence(np.linspace(-0.01, 0.01, 4), Resamples.of(list("abcd"), rng()))
    assert four.note == "undefined: change is known for 4 personas, at least 5 are needed"
    assert equivalence(np.array([]), Resamples.of([], rng())).verdict == "undefined"
    with pytest.raises(ValueError, match="the margin must be above 0, got 0"):
        verdict([0.1, 0.2], 0)
