"""Means of labels from a few labels and many ratings: known cases by hand, and coverage in worlds that are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from holdfast.simulator.measure.arrays import Floats, Ints
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.measure.jackknifed import Jackknifed, fieller_interval
from holdfast.simulator.measure.labelled_mean import (
    METHODS,
    LabelledReplies,
    Method,
    mean_of,
)
from tests.simulator.measure.making import coverage, rng

TRUTH = 3.0


def world(random: np.random.Generator, persons: int, within: float, useless: bool) -> tuple[Floats, Floats, Ints]:
    """Labels of 24 replies to each of ``persons``, correlated by ``within``, and a rater's biased scores."""
    person = np.repeat(np.arange(persons), 24)
    labels = TRUTH + random.normal(0, np.sqrt(within), persons)[person]
    labels = labels + random.normal(0, np.sqrt(1 - within), len(person))
    if useless:
        return labels, random.normal(0, 1, len(person)), person
    bias = random.normal(1, 0.3, persons)[person]
    return labels, 0.6 * labels + bias + random.normal(0, 0.5, len(person)), person


def drawn(random: np.random.Generator, labels: Floats, chance: Floats) -> Floats:
    """The labels of those that were drawn, each by its own chance."""
    return np.where(random.random(len(labels)) < chance, labels, np.nan)


def always_limited(
    make: Callable[[np.random.Generator], Estimate], truth: float, times: int = 400
) -> tuple[float, float]:
    """How often the interval, which each draw has, covers ``truth``; and its median width."""
    given, covers, width = coverage(make, truth, times)
    assert given == 1
    return covers, width


@pytest.mark.parametrize("persons", [8, 20, 48])
@pytest.mark.parametrize("within", [0.0, 0.3])
@pytest.mark.parametrize("useless", [False, True], ids=["biased rater", "useless rater"])
def test_intervals_cover_the_truth_however_wrong_the_rater_is(persons: int, within: float, useless: bool) -> None:
    widths = dict[Method, float]()
    for method in METHODS[:2]:

        def make(random: np.random.Generator, method: Method = method) -> Estimate:
            labels, scores, person = world(random, persons, within, useless)
            chance = np.where(scores > np.median(scores), 0.12, 0.06) * 20 * 24 / len(labels)  # more where it is high
            sample = LabelledReplies(scores, drawn(random, labels, chance), chance, person, persons)
            return mean_of(sample, method).interval()

        covered, widths[method] = always_limited(make, TRUTH)
        assert 0.92 <= covered <= 0.985, (method, covered)  # 400 draws: .95 +- .03
    if useless:
        assert widths["labels and rater"] < 1.06 * widths["labels only"]
    else:
        assert widths["labels and rater"] < 0.97 * widths["labels only"]


def test_the_rater_alone_covers_nothing_where_it_is_biased() -> None:
    def make(random: np.random.Generator) -> Estimate:
        labels, scores, person = world(random, 20, 0.3, useless=False)
        return mean_of(
            LabelledReplies(scores, np.full_like(labels, np.nan), labels, person, 20), "rater only"
        ).interval()

    assert always_limited(make, TRUTH, 100)[0] < 0.8


@pytest.mark.parametrize("useless", [False, True], ids=["biased rater", "useless rater"])
def test_a_finite_population_needs_less(useless: bool) -> None:
    """Labels of whole persons, 12 of 40: what is asked is the mean over these forty."""
    labels, scores, person = world(rng(), 40, 0.3, useless)

    def make(finite: bool) -> Callable[[np.random.Generator], Estimate]:
        def sample(random: np.random.Generator) -> Estimate:
            asked = np.isin(person, random.choice(40, 12, replace=False))
            replies = LabelledReplies(scores, np.where(asked, labels, np.nan), np.full(len(labels), 0.3), person, 40)
            return mean_of(replies, finite=finite).interval()

        return sample

    (covered, narrow), (_, wide) = (always_limited(make(finite), float(labels.mean())) for finite in (True, False))
    assert 0.92 <= covered <= 0.985
    assert narrow < 0.9 * wide


def test_with_all_labels_it_is_their_mean() -> None:
    labels = np.array([1.0, 2.0, 2.0, 4.0])
    replies = LabelledReplies(np.array([0.0, 1.0, 0.0, 5.0]), labels, np.ones(4), np.array([0, 0, 1, 2]), 3)
    made = mean_of(replies)
    assert made.value == pytest.approx(2.25)
    assert mean_of(replies, "labels only").without == pytest.approx([(2 + 4) / 2, (1 + 2 + 4) / 3, (1 + 2 + 2) / 3])


def test_labels_count_by_the_inverse_of_their_chance() -> None:
    replies = LabelledReplies(
        np.zeros(3), np.array([1.0, 3.0, np.nan]), np.array([0.5, 0.25, 1.0]), np.array([0, 1, 1]), 2
    )
    assert mean_of(replies, "labels only").value == pytest.approx((2 * 1 + 4 * 3) / 6)


def test_a_rater_that_is_off_by_a_constant_costs_nothing() -> None:
    """Labels are scores + 1, so two labels and all scores give the mean exactly."""
    scores = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    labels = np.where(np.arange(6) % 2 == 0, scores + 1, np.nan)
    made = mean_of(LabelledReplies(scores, labels, np.full(6, 0.5), np.arange(6), 6))
    assert made.value == pytest.approx(3.5)


def test_a_difference_over_the_same_persons_is_narrower() -> None:
    persons = rng().normal(0, 1, 30)
    first = mean_of(LabelledReplies(persons, persons, np.ones(30), np.arange(30), 30), "labels only")
    second = mean_of(LabelledReplies(persons, persons + 1, np.ones(30), np.arange(30), 30), "labels only")
    assert second.minus(first).value == pytest.approx(1)
    assert second.minus(first).variance == pytest.approx(0, abs=1e-12)
    assert first.variance == pytest.approx(persons.var(ddof=1) / 30)


def test_a_ratio_covers_by_fieller() -> None:
    """Retention of .8 over 20 persons, labels of both quarters of each."""

    def make(random: np.random.Generator) -> Estimate:
        person = random.normal(0, 0.15, 20)
        parts = [level + person + random.normal(0, 0.1, 20) for level in (0.8 * 0.7, 0.7)]
        last, first = (LabelledReplies(part, part, np.ones(20), np.arange(20), 20) for part in parts)
        return fieller_interval(mean_of(last, "labels only"), mean_of(first, "labels only"))

    covered, _ = always_limited(make, 0.8)
    assert 0.92 <= covered <= 0.985


def test_a_ratio_to_nearly_nothing_has_no_limits() -> None:
    near_zero = Jackknifed(0.01, np.array([-0.1, 0.1, 0.05, -0.02]))
    made = fieller_interval(Jackknifed(0.5, np.array([0.4, 0.6, 0.5, 0.5])), near_zero)
    assert (made.mean, made.lo, made.hi) == (50, None, None)


def test_one_person_has_no_limits_and_none_no_mean() -> None:
    replies = LabelledReplies(np.zeros(2), np.array([1.0, 2.0]), np.ones(2), np.zeros(2, dtype=np.int64), 1)
    made = mean_of(replies, "labels only").interval()
    assert (made.mean, made.lo, made.hi) == (1.5, None, None)
    nothing = mean_of(replies.within([False, False])).interval()
    assert (nothing.mean, nothing.lo, nothing.hi) == (None, None, None)


@pytest.mark.parametrize("chance", [0.0, 1.5, np.nan])
def test_a_label_without_a_chance_is_refused(chance: float) -> None:
    with pytest.raises(ValueError, match="inclusion probability"):
        LabelledReplies(np.zeros(1), np.ones(1), np.array([chance]), np.zeros(1, dtype=np.int64), 1)
