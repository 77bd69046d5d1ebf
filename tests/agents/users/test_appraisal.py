from __future__ import annotations

from dataclasses import astuple, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.agents.protocols import SENSE7
from holdfast.agents.users.appraisal import (
    POOR,
    WEIGHTS,
    Expressed,
    acknowledges,
    answer,
    appraise,
    cognitive_felt,
    overall,
    reaction_felt,
    satisfaction,
    serves,
)
from holdfast.agents.users.reply_cues import ReplyCues

share = st.floats(0, 1)
level = st.floats(0, 2)
heards = st.builds(
    ReplyCues,
    feeling=st.none() | share,
    topic=st.none() | share,
    asked=st.booleans(),
    steps=st.booleans(),
    repeated=share,
    sane=share,
)
levels = st.builds(Expressed, level, level, level)

#: A reply of sensible length that names everything, new, with something to do.
IDEAL = ReplyCues(feeling=1.0, topic=1.0, asked=False, steps=True, repeated=0.0, sane=1.0)
ASKED = replace(IDEAL, feeling=None, asked=True)


def felt(*expressed: float, cues: ReplyCues = IDEAL) -> float:
    return overall(appraise(Expressed(*expressed), cues))


@settings(max_examples=300, deadline=None)
@given(levels, heards)
def test_every_dimension_stays_in_its_range(expressed: Expressed, cues: ReplyCues) -> None:
    dimensions = appraise(expressed, cues)
    assert tuple(dimensions) == SENSE7
    assert all(1.0 <= value <= 5.0 for value in dimensions.values())


@settings(max_examples=300, deadline=None)
@given(levels, heards, st.sampled_from(["emotional_reaction", "interpretation", "exploration"]), level)
def test_more_expressed_empathy_is_never_felt_as_less(
    expressed: Expressed, cues: ReplyCues, mechanism: str, other: float
) -> None:
    higher = replace(expressed, **{mechanism: max(other, getattr(expressed, mechanism))})
    below, above = appraise(expressed, cues), appraise(higher, cues)
    assert all(above[name] >= below[name] - 1e-12 for name in SENSE7)


@settings(max_examples=300, deadline=None)
@given(levels, heards, st.sampled_from(["feeling", "topic", "sane", "steps", "repeated"]), share)
def test_naming_helping_and_fresh_words_are_never_felt_as_less(
    expressed: Expressed, cues: ReplyCues, what: str, other: float
) -> None:
    now = getattr(cues, what)
    if now is None:
        return
    better = {"steps": True, "repeated": min(now, other)}.get(what, max(now, other))
    below, above = appraise(expressed, cues), appraise(expressed, replace(cues, **{what: better}))
    assert all(above[name] >= below[name] - 1e-12 for name in SENSE7)


def test_the_weights_of_each_dimension_sum_to_one_so_that_it_reaches_both_ends() -> None:
    assert tuple(WEIGHTS) == SENSE7
    assert all(sum(astuple(weights)) == pytest.approx(1.0) for weights in WEIGHTS.values())
    nothing = ReplyCues(feeling=0.0, topic=0.0, asked=False, steps=False, repeated=1.0, sane=0.0)
    assert set(appraise(Expressed(0, 0, 0), nothing).values()) == {1.0}
    assert list(appraise(Expressed(2, 2, 2), IDEAL).values()) == pytest.approx([5.0] * 7)


def test_one_dimension_by_hand() -> None:
    # interest weighs ER .25 and EX .75. u(0.9) = .5 ** 1.5 = .35355; v(1) = 1.1 / 1.4 = .78571.
    # Half of the message named: depth = (.5 + .25) * 1 * 1 = .75.
    cues = replace(IDEAL, feeling=0.0)
    quality = 0.75 * (0.25 * 0.35355 + 0.75 * 0.78571)
    assert appraise(Expressed(0.9, 0, 1), cues)["interest"] == pytest.approx(1 + 4 * quality, abs=1e-4)


def test_how_levels_are_felt() -> None:
    assert (reaction_felt(0), reaction_felt(1.8), reaction_felt(2), reaction_felt(9)) == (0, 1, 1, 1)
    assert reaction_felt(1) == pytest.approx(0.414, abs=1e-3)
    assert (cognitive_felt(0), cognitive_felt(-1)) == (0, 0)
    assert cognitive_felt(1) == pytest.approx(1.1 / 1.4)
    assert cognitive_felt(2) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("expressed", "cues", "low", "high"),
    [
        ((0, 0, 0), ASKED, 1.3, 2.0),
        ((0.07, 0.36, 0.09), ASKED, 1.5, 2.0),  # a plain practical reply as the linear rater sees it (DESIGN)
        ((1, 0, 2), IDEAL, 2.8, 3.2),
        ((1, 2, 0), IDEAL, 2.8, 3.2),
        ((2, 1, 1), IDEAL, 4.5, 5.0),
        ((2, 1, 1), replace(ASKED, steps=False), 4.4, 5.0),  # a companion gives no advice
        ((2, 1, 1), replace(IDEAL, feeling=0.0, topic=0.0), 2.0, 3.0),  # said to nobody in particular
    ],
)
def test_a_reply_after_the_pattern_feels_about_as_desired(
    expressed: tuple[float, float, float], cues: ReplyCues, low: float, high: float
) -> None:
    assert low <= felt(*expressed, cues=cues) <= high


def test_satisfaction_by_hand() -> None:
    # desired 3 -> w = .4; fit = 1 - 1/2.5 = .6; a question named but without steps: A = .3
    cues = replace(ASKED, steps=False)
    assert answer(cues) == pytest.approx(0.3)
    assert satisfaction(2.0, 3.0, cues) == pytest.approx(0.6 * 0.6 + 0.4 * 0.3)
    # desired 1 -> w = .6; 4 points too many: fit = .5
    assert satisfaction(5.0, 1.0, ASKED) == pytest.approx(0.4 * 0.5 + 0.6)
    # desired 5 -> w = .2; nothing of it
    assert satisfaction(1.0, 5.0, replace(IDEAL, feeling=0.0, topic=0.0)) == 0.0


@settings(max_examples=200, deadline=None)
@given(st.floats(1, 5), st.floats(1, 5), heards)
def test_satisfaction_is_a_share_and_highest_where_desire_is_met(
    desired: float, perceived: float, cues: ReplyCues
) -> None:
    value = satisfaction(perceived, desired, cues)
    assert 0.0 <= value <= 1.0
    assert value <= satisfaction(desired, desired, cues) + 1e-12


def test_what_serves_a_need() -> None:
    plain, caring = Expressed(0, 0, 0), Expressed(2, 1, 1)
    assert serves(ASKED, plain, desired=1.0)
    assert not serves(replace(ASKED, topic=0.4), plain, desired=1.0)
    assert not serves(replace(ASKED, steps=False), caring, desired=3.0)
    assert serves(replace(ASKED, steps=False), caring, desired=5.0)
    assert not serves(IDEAL, caring, desired=5.0)  # nothing was asked


def test_what_takes_up_a_feeling() -> None:
    deaf = replace(IDEAL, feeling=0.0, topic=0.0)
    assert acknowledges(IDEAL, Expressed(0, 0, 0))
    assert acknowledges(deaf, Expressed(1, 0, 0))
    assert not acknowledges(deaf, Expressed(0.9, 2, 2))


def test_a_careless_reply_is_a_poor_turn_for_everyone_who_wanted_some_empathy() -> None:
    deaf = replace(IDEAL, feeling=0.0, topic=0.0, steps=False)
    for desired in (3.0, 5.0):
        assert satisfaction(felt(0, 0, 0, cues=deaf), desired, deaf) < POOR
