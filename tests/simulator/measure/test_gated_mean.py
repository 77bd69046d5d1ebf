"""Means of labels where the gate stops replies, or where nothing varies: by hand, and as before without a stop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from holdfast.simulator.measure.arrays import Bools, Floats, Ints
from holdfast.simulator.measure.estimates import Estimate
from holdfast.simulator.measure.jackknifed import Jackknifed, fieller_interval
from holdfast.simulator.measure.labelled_mean import METHODS, LabelledReplies, Method, mean_of
from tests.simulator.measure.making import rng
from tests.simulator.measure.test_labelled_mean import world

BY_LABELS = METHODS[:2]


def adhering(
    labels: Floats, stopped: Bools | None = None, persons: Ints | None = None, **more: object
) -> LabelledReplies:
    """Adherence by labels, each reply to a person of its own and drawn for sure, unless said otherwise."""
    codes = np.arange(len(labels)) if persons is None else persons
    replies = LabelledReplies(
        np.zeros(len(labels)), labels, np.ones(len(labels)), codes, int(codes.max()) + 1, stopped, 0.0, 1.0
    )
    return replace(replies, **more)


def test_only_what_is_let_through_needs_labels() -> None:
    """Six of eight replies are stopped; labels of the other two are .4 and .8, so the mean is 2 / 8 of .6."""
    stopped = np.array([True, True, True, False, True, True, True, False])
    labels = np.array([np.nan, 1.0, np.nan, 0.4, np.nan, np.nan, np.nan, 0.8])
    made = mean_of(adhering(labels, stopped, np.repeat([0, 1], 4)), "labels only")
    assert made.value == pytest.approx(0.15)
    assert made.without == pytest.approx([0.8 / 4, 0.4 / 4])  # one person's share and label are the other's no more


def test_the_share_that_is_let_through_is_estimated_from_all_persons() -> None:
    """Persons without labels have a part by what was stopped of theirs; Student's t counts those with labels."""
    stopped = np.array([False, False, True, True])
    made = mean_of(adhering(np.array([0.5, 0.7, np.nan, np.nan]), stopped), "labels only")
    assert made.without == pytest.approx([0.7 / 3, 0.5 / 3, 2 / 3 * 0.6, 2 / 3 * 0.6])
    assert (made.persons, made.people) == (2, 2)


BEFORE = {  # as version 8ab2cf7, which knew no gate, had them
    ("labels and rater", "mean"): (3.0362382803815215, 2.665667584789474, 3.406808975973569),
    ("labels and rater", "difference"): (0.13892519612442022, -0.3551687916687607, 0.6330191839176011),
    ("labels and rater", "ratio"): (1.0479496664959294, 0.8920783029098738, 1.2572934715672006),
    ("labels only", "mean"): (2.949405450902008, 2.5011629712405594, 3.397647930563456),
    ("labels only", "difference"): (-0.12179164439203038, -0.6603535409700585, 0.4167702521859977),
    ("labels only", "ratio"): (0.9603439178232324, 0.8073783289942439, 1.1570663135408088),
    ("rater only", "mean"): (2.8470747397863088, 2.524989977133908, 3.1691595024387094),
    ("rater only", "difference"): (0.08061556736212383, -0.4399513503055933, 0.601182485029841),
    ("rater only", "ratio"): (1.02914034234291, 0.8566739200438199, 1.2461980497058387),
}


@pytest.mark.parametrize("stopped", [None, False])
def test_where_nothing_is_stopped_every_figure_is_what_it_was(stopped: bool | None) -> None:
    random, parts = np.random.default_rng(11), []
    for _ in range(2):
        labels, scores, person = world(random, 12, 0.3, useless=False)
        chance = np.where(scores > np.median(scores), 0.3, 0.15)
        scores = np.where(random.random(len(scores)) < 0.05, np.nan, scores)
        given = np.where(random.random(len(labels)) < chance, labels, np.nan)
        gate = None if stopped is None else np.zeros(len(labels), dtype=np.bool_)
        parts.append(LabelledReplies(scores, given, chance, person, 13, gate))
    for method in METHODS:
        first, second = (mean_of(part, method) for part in parts)
        made = {
            "mean": first.interval(),
            "difference": first.minus(second).interval(),
            "ratio": fieller_interval(first, second),
        }
        for name, one in made.items():
            assert (one.mean, one.lo, one.hi) == pytest.approx(BEFORE[method, name], rel=1e-12)


def test_without_a_label_of_what_is_let_through_nothing_is_known() -> None:
    stopped = np.arange(12) < 9
    labels = np.where(stopped, 0.0, np.nan)
    replies = adhering(labels, stopped, place="in the last quarter")
    for method in BY_LABELS:
        made = mean_of(replies, method)
        assert made.interval() == Estimate(mean=None, lo=None, hi=None)
        assert made.reason == (
            "no labelled reply among the 3 that the gate lets through in the last quarter: cannot tell"
        )
    assert mean_of(replies, "rater only").value == 0


def test_labels_of_fewer_than_five_people_are_too_few_where_the_gate_stopped_the_others() -> None:
    stopped = np.arange(12) < 8
    made = mean_of(adhering(np.linspace(0.1, 0.9, 12), stopped), "labels only")
    assert np.isnan(made.value)
    assert made.reason == "4 people with a labelled reply among the 4 that the gate lets through: cannot tell"
    of_four = mean_of(adhering(np.linspace(0.1, 0.9, 5), np.arange(5) < 1, np.array([0, 0, 1, 2, 3])), "labels only")
    assert not np.isnan(of_four.value)  # no more than four were asked about: a mean, whose limits the results leave out


def test_no_reply_and_no_label_say_so() -> None:
    nothing = adhering(np.full(3, np.nan), place="in the first quarter")
    assert mean_of(nothing).reason == "no labelled reply among the 3 in the first quarter: cannot tell"
    empty = nothing.within([False] * 3)
    assert {mean_of(empty, method).reason for method in BY_LABELS} == {"no reply in the first quarter"}
    assert mean_of(empty, "rater only").reason == "no rated reply in the first quarter"


@pytest.mark.parametrize("method", METHODS)
def test_where_everything_is_stopped_0_is_exact_for_these_people_and_bounded_for_others(method: Method) -> None:
    replies = adhering(np.full(48, np.nan), np.full(48, True), np.repeat(np.arange(12), 4))
    made = mean_of(replies, method)
    one = made.interval()
    assert made.reason == "exactly 0 here, as the gate stopped all 48 replies: limits allow for what was not seen"
    assert (one.mean, one.lo, one.hi) == pytest.approx((0, 0, 1 - 0.05 ** (1 / 12)))
    assert mean_of(replies, method, finite=True).interval() == Estimate(mean=0, lo=0, hi=0)


@pytest.mark.parametrize("method", BY_LABELS)
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_labels_that_do_not_vary_bound_what_may_differ_unseen(method: Method, level: float) -> None:
    """Twelve people, all alike: a share of 1 - .05^(1 / 12) = .22 may differ, and be as far off as 0 and 1 are."""
    made = mean_of(adhering(np.full(12, level)), method)
    one, unseen = made.interval(), 1 - 0.05 ** (1 / 12)
    assert unseen == pytest.approx(0.22, abs=0.005)
    assert (one.mean, one.lo, one.hi) == pytest.approx((level, level * (1 - unseen), level + unseen * (1 - level)))
    assert made.reason == "labels do not vary: limits allow for what was not seen"
    unbounded = mean_of(replace(adhering(np.full(12, level)), lowest=-np.inf, highest=np.inf), method).interval()
    assert (unbounded.lo, unbounded.hi) == (None, None)


def test_what_is_stopped_takes_part_in_the_bound() -> None:
    """Half of twelve people's two replies are stopped, the others are all .5: the bound is half as wide."""
    stopped = np.tile([True, False], 12)
    one = mean_of(adhering(np.full(24, 0.5), stopped, np.repeat(np.arange(12), 2)), "labels only").interval()
    unseen = 1 - 0.05 ** (1 / 12)
    assert (one.mean, one.lo, one.hi) == pytest.approx((0.25, 0.25 - unseen / 4, 0.25 + unseen / 4))


def test_people_whose_means_are_alike_are_no_more_certain() -> None:
    labels = np.tile([0.0, 1.0], 12)
    one = mean_of(adhering(labels, persons=np.repeat(np.arange(12), 2)), "labels only").interval()
    assert one.hi - one.lo == pytest.approx(1 - 0.05 ** (1 / 12))


def test_unequal_chances_make_the_bound_wider() -> None:
    chance = np.where(np.arange(12) < 6, 1.0, 0.25)
    one = mean_of(adhering(np.zeros(12), inclusion=chance), "labels only").interval()
    kish = (6 + 24) ** 2 / (6 + 6 * 16)
    assert one.hi == pytest.approx(1 - 0.05 ** (1 / kish))


def test_a_rater_that_is_never_wrong_on_the_labelled_is_bounded_too() -> None:
    scores = np.linspace(0.1, 0.9, 24)
    labels = np.where(np.arange(24) % 2 == 0, scores, np.nan)
    sure = mean_of(adhering(labels, scores=scores))
    unseen = 1 - 0.05 ** (1 / 12)
    assert (sure.below, sure.above) == pytest.approx((unseen * 0.9, unseen * 0.9))


def test_a_difference_and_a_ratio_carry_the_bound() -> None:
    random = rng()
    first = mean_of(adhering(random.uniform(0.5, 0.9, 12)), "labels only")
    last = mean_of(adhering(np.zeros(12)), "labels only")
    alone, apart, unseen = first.interval(), first.minus(last).interval(), 1 - 0.05 ** (1 / 12)
    assert apart.hi == pytest.approx(alone.hi)  # what the other has not shown can only lower the difference
    assert apart.lo == pytest.approx(first.value - np.hypot(first.value - alone.lo, unseen))
    ratio, g = fieller_interval(last, first), ((first.value - alone.lo) / first.value) ** 2
    assert (ratio.mean, ratio.lo) == pytest.approx((0, 0))
    assert ratio.hi == pytest.approx(unseen / first.value / np.sqrt(1 - g))
    assert fieller_interval(first, last) == Estimate(mean=None, lo=None, hi=None)


def test_a_ratio_to_what_may_be_nothing_unseen_has_no_limits() -> None:
    flat = Jackknifed(0.3, np.full(12, 0.3), people=12, below=0.4)
    varied = mean_of(adhering(np.linspace(0.1, 0.9, 12)), "labels only")
    assert (fieller_interval(varied, flat).lo, fieller_interval(varied, flat).hi) == (None, None)


def test_people_who_differ_all_by_the_same_are_no_more_certain() -> None:
    """Two candidates, or quarters, that are alike before each person: 0 and 1, but for what twelve have not shown."""
    labels, unseen = np.linspace(0.4, 0.9, 12), 1 - 0.05 ** (1 / 12)
    for method in METHODS[1:]:
        made = mean_of(adhering(labels, scores=labels), method)
        apart, ratio = made.minus(made), fieller_interval(made, made)
        assert (apart.below, apart.above) == pytest.approx((unseen, unseen))
        assert apart.reason == "the difference does not vary between people: limits allow for what was not seen"
        assert ratio.lo < 0.75
        assert ratio.hi > 1.25


def test_a_rater_whose_scores_are_all_alike_is_bounded_too() -> None:
    one = mean_of(adhering(np.full(12, np.nan), scores=np.full(12, 0.5)), "rater only").interval()
    assert one.hi - one.lo == pytest.approx(1 - 0.05 ** (1 / 12))


@pytest.mark.parametrize("persons", [12, 48])
def test_all_labels_alike_miss_the_truth_in_one_study_of_twenty_at_most(persons: int) -> None:
    """A share of people adheres 1, the others 0: where no label shows it, limits seldom leave it out."""
    random = rng()
    for share in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5):
        missed = 0
        for _ in range(300):
            replies = adhering((random.random(persons) < share).astype(float))
            if np.ptp(replies.labels) == 0:
                one = mean_of(replies, "labels only").interval()
                missed += not one.lo <= share <= one.hi
        assert missed / 300 <= 0.075  # 300 draws: .05 + .025
