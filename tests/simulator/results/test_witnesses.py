"""Witnesses and goals in the results: from conversations to figures beside the primary rater's."""

import numpy as np
import pytest

from holdfast.agents.raters.protocol import PERCEIVED, Rating, expressed
from tests.simulator.measure.making import PRIMARY, WITNESS
from tests.simulator.results.test_build import PERSONAS, build, conversation

CURVE = np.linspace(0.95, 0.6, 8)


def talks(answer, **settings):
    """Every persona once; ``answer``: what the witness says of the turn with this adherence."""
    return [
        conversation("base", persona, CURVE, ratings=[{"judge": answer(level)} for level in CURVE], **settings)
        for persona in PERSONAS
    ]


def same_levels(persona, near):
    """The levels of the primary rater in ``conversation``."""
    return conversation("base", persona, [near]).turns[0].primary


def test_a_witness_that_says_the_same_agrees_and_has_the_same_figures():
    episodes = [
        conversation("base", id, CURVE, ratings=[{"judge": same_levels(id, near)} for near in CURVE]) for id in PERSONAS
    ]
    results = build(episodes, raters=[PRIMARY, WITNESS])
    base = results.candidates["base"]
    witness = base.witnesses["judge"]
    assert witness.adherence == base.adherence
    assert witness.adherence_by_turn == base.adherence_by_turn
    assert witness.retention == base.retention
    assert witness.levels_by_turn == base.mechanism_by_turn
    assert {row.dimension: row.r.mean for row in results.agreement} == pytest.approx(
        {"emotional_reaction": 1, "interpretation": 1, "exploration": 1, "mean": 1}
    )
    assert {row.r.n for row in results.agreement} == {8 * 8}
    assert [rater.role for rater in results.raters] == ["primary", "witness"]


def test_missing_ratings_are_counted_by_reason_and_never_zero():
    def answer(near):
        return Rating(missing="refused") if near < 0.7 else expressed(1, 1, 1)

    results = build(talks(answer), raters=[PRIMARY, WITNESS])
    witness = results.candidates["base"].witnesses["judge"]
    absent = int((CURVE < 0.7).sum())
    assert witness.unrated == {"refused": 8 * absent}
    assert witness.levels["exploration"].mean == 1
    assert len(witness.levels_by_turn["exploration"]) == 8 - absent
    assert results.agreement[0].r.n == 8 * (8 - absent)
    assert results.candidates["base"].unrated == {}


def test_a_witness_on_another_scale_has_levels_and_only_the_mean_to_agree_in():
    felt = WITNESS.model_copy(update={"scale": PERCEIVED})
    results = build(
        talks(lambda near: Rating(dict.fromkeys(PERCEIVED.dimensions, 1 + 4 * near))), raters=[PRIMARY, felt]
    )
    witness = results.candidates["base"].witnesses["judge"]
    assert witness.adherence.mean is None
    assert witness.adherence_by_turn == []
    assert witness.levels["interest"].mean == pytest.approx(1 + 4 * CURVE.mean())
    assert [row.dimension for row in results.agreement] == ["mean"]


def test_a_study_without_witnesses_has_none():
    results = build([conversation("base", "p1", CURVE)])
    assert results.agreement == []
    assert results.candidates["base"].witnesses == {}


def test_goals_served_stand_beside_adherence():
    episodes = [
        conversation("base", persona, CURVE, served=[(), ("g",)] if persona != "p0" else [], stop="max turns")
        for persona in PERSONAS
    ]
    goals = build(episodes).candidates["base"].goals
    assert goals.served.mean == pytest.approx(7 / 8)
    assert [point.mean for point in goals.served_by_turn] == pytest.approx([0, *[7 / 8] * 7])
    assert {(goal.persona, goal.served, goal.mean_turn) for goal in goals.by_goal} >= {("p0", 0, None), ("p1", 1, 2.0)}


def test_a_journal_that_names_no_goals_says_so():
    base = build([conversation("base", "p1", CURVE)]).candidates["base"]
    assert base.goals is None
    assert base.notes["goals"] == "undefined: no message says which goal it is about"
