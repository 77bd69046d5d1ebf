"""Do 95 % intervals hold the truth in 95 % of studies? A thousand simulated studies with known truth say so."""

import numpy as np
import pytest

from holdfast.simulator.measure.bootstrap import Resamples, mean_interval
from holdfast.simulator.measure.decay.retention import quarter_means, retention
from holdfast.simulator.measure.decay.slope import episode_slopes
from holdfast.simulator.measure.gap import gap_reduction
from holdfast.simulator.measure.pairwise import sign_flip_p
from tests.simulator.measure.making import rng

STUDIES, EPISODES, TURNS = 1000, 4, 12
FIRST, LAST = 0.9, 0.6
CURVE = np.linspace(FIRST, LAST, TURNS)
QUARTER = TURNS // 4
TRUTH = {
    "mean": CURVE.mean(),
    "retention": CURVE[-QUARTER:].mean() / CURVE[:QUARTER].mean(),
    "slope": (LAST - FIRST) / (TURNS - 1),
    "gap_reduction": 0.5,  # gaps of 1 against 2 on average, always positive
    "paired difference": 0.1,
}


def one_study(draw, personas):
    """Adherence (episodes x turns), two candidates' gaps, a paired difference; and the groups.

    Personas differ in level, in slope and in gap, episodes within a persona in level, turns in everything.
    """
    groups = np.repeat(np.arange(personas), EPISODES)
    episodes = len(groups)
    level = draw.normal(0, 0.08, personas)[groups] + draw.normal(0, 0.05, episodes)
    tilt = draw.normal(0, 0.01, personas)[groups]
    values = CURVE + level[:, None] + tilt[:, None] * (np.arange(TURNS) - TURNS / 2 + 0.5)
    values += draw.normal(0, 0.1, (episodes, TURNS))
    shared = draw.normal(0, 0.15, personas)[groups]
    candidate = 1 + shared + draw.normal(0, 0.1, episodes)
    baseline = 2 + shared + draw.normal(0, 0.15, personas)[groups] + draw.normal(0, 0.1, episodes)
    difference = 0.1 + draw.normal(0, 0.1, personas)[groups] + draw.normal(0, 0.1, episodes)
    return values, candidate, baseline, difference, [str(group) for group in groups]


@pytest.mark.slow
@pytest.mark.parametrize("personas", [8, 24])
def test_intervals_hold_the_truth(personas):
    draw = rng(personas)
    hits = dict.fromkeys(TRUTH, 0)
    for _ in range(STUDIES):
        values, candidate, baseline, difference, groups = one_study(draw, personas)
        resamples = Resamples.of(groups, draw)
        intervals = {
            "mean": mean_interval(values.mean(axis=1), resamples),
            "retention": retention(*quarter_means(values, np.full(len(values), TURNS)), resamples),
            "slope": mean_interval(episode_slopes(values), resamples),
            "gap_reduction": gap_reduction(candidate, baseline, resamples),
            "paired difference": mean_interval(difference, resamples),
        }
        for name, interval in intervals.items():
            hits[name] += interval.lo <= TRUTH[name] <= interval.hi
    coverage = {name: count / STUDIES for name, count in hits.items()}
    print(personas, coverage)
    assert all(0.93 <= share <= 0.97 for share in coverage.values()), coverage


@pytest.mark.slow
def test_sign_flips_reject_a_true_null_in_one_of_twenty():
    draw = rng(4)
    rejected = 0
    for _ in range(STUDIES):
        *_, difference, groups = one_study(draw, 12)
        codes = np.array(groups, dtype=int)
        rejected += sign_flip_p(difference - 0.1, codes, draw, flips=999) <= 0.05
    assert 0.03 <= rejected / STUDIES <= 0.07
