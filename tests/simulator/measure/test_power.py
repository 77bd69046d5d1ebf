import math

import numpy as np
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.power import TTestPower

from holdfast.simulator.measure.power import VarianceResults, detectable, personas_needed, power, variance
from tests.simulator.measure.making import rng


def test_variance_by_hand():
    # personas a: 1, 3; b: 5, 7; c: 3, 5. Means 2, 6, 4, mean 4. Within: 6 squares of 1 over 3 = 2.
    # Between: 2 (4 + 4 + 0) / 2 = 8 per mean square; (8 - 2) / 2 = 3. Variance of means 4 = 3 + 2 / 2.
    found = variance(np.array([1.0, 3, 5, 7, 3, 5, np.nan]), np.array([0, 0, 1, 1, 2, 2, 3]))
    known = {"mean": 4.0, "between": 3.0, "within": 2.0, "of_means": 4.0, "personas": 3, "per_persona": 2.0}
    assert found == VarianceResults(**known, truncated=False)
    assert found.at(1) == 5
    assert found.at(4) == 3.5


def test_one_episode_each_knows_only_the_sum():
    found = variance(np.array([1.0, 2, 3]), np.array([0, 1, 2]))
    assert (found.between, found.within) == (None, None)
    assert found.at(1) == found.of_means == 1
    assert math.isnan(found.at(2))
    lonely = variance(np.array([1.0, 2]), np.array([0, 0]))
    assert lonely.of_means is None
    assert math.isnan(lonely.at(1))
    assert lonely.personas == 1


def test_between_below_0_is_0_and_said():
    found = variance(np.array([0.0, 2, 0, 2]), np.array([0, 0, 1, 1]))
    assert (found.between, found.truncated) == (0, True)


def test_parity_with_an_analysis_of_variance():
    import pandas

    draw = rng(1)
    codes = np.repeat(np.arange(9), draw.integers(1, 6, 9))
    values = draw.normal(codes % 3, 1)
    table = anova_lm(ols("y ~ C(g)", pandas.DataFrame({"y": values, "g": codes})).fit())
    counts = np.bincount(codes)
    size = (len(codes) - (counts**2).sum() / len(codes)) / 8
    found = variance(values, codes)
    assert found.within == pytest.approx(table["mean_sq"].iloc[1])
    assert found.between == pytest.approx((table["mean_sq"].iloc[0] - found.within) / size)


def test_power_and_what_it_needs_agree_with_statsmodels():
    assert power(0.5, 1.0, 33) == pytest.approx(TTestPower().power(0.5, 33, 0.05))
    assert personas_needed(0.5, 1.0) == math.ceil(TTestPower().solve_power(0.5, None, 0.05, 0.8)) == 34
    assert personas_needed(-0.5, 1.0) == 34
    assert power(detectable(1.0, 34), 1.0, 34) == pytest.approx(0.8, rel=1e-4)


@pytest.mark.parametrize("effect", [0.05, 0.3, 1, 4, 40])
def test_needed_is_the_least_that_does(effect):
    needed = int(personas_needed(effect, 1.0))
    assert power(effect, 1.0, needed) >= 0.8
    assert needed == 2 or power(effect, 1.0, needed - 1) < 0.8


def test_borders():
    assert personas_needed(0.0, 1.0) == math.inf
    assert personas_needed(1e-6, 1.0) == math.inf
    assert math.isnan(personas_needed(0.1, math.nan))
    assert math.isnan(power(0.1, 1.0, 1))
    assert power(0.1, 0.0, 5) == 1
    assert detectable(0.0, 5) == 0
    assert math.isnan(detectable(1.0, 1))


@pytest.mark.slow
def test_simulated_studies_find_the_difference_as_often_as_promised():
    from scipy.stats import ttest_1samp

    draw = rng(3)
    between, within, each, difference = 0.02, 0.06, 3, 0.1
    needed = int(personas_needed(difference, between + within / each))
    shape = (4000, needed)
    persona = draw.normal(difference, math.sqrt(between), shape)
    means = (persona[..., None] + draw.normal(0, math.sqrt(within), (*shape, each))).mean(axis=2)
    found = (ttest_1samp(means, 0, axis=1).pvalue < 0.05).mean()
    promised = power(difference, between + within / each, needed)
    print(f"{needed} personas: promised {promised:.3f}, found {found:.3f}")
    assert found == pytest.approx(promised, abs=3 * math.sqrt(0.8 * 0.2 / 4000))
