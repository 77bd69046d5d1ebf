"""Felt empathy by each feeler in the results, by hand: the study's own makes the gap, the others stand beside it."""

import math

import pytest

from holdfast.agents.raters.felt.feelers import NAMES
from holdfast.agents.raters.protocol import FELT, Rating
from holdfast.simulator.results.model import Results
from tests.simulator.measure.making import PRIMARY
from tests.simulator.results.test_build import PERSONAS, build, conversation

CURVE = (0.9, 0.8, 0.7, 0.6)
PEOPLE = PRIMARY.model_copy(
    update={"name": NAMES["people"], "id": "people", "version": "abc", "role": "feeler", "scale": FELT}
)
MODEL = PEOPLE.model_copy(update={"name": NAMES["model"], "id": "judge:m", "prompt_sha256": "0" * 64})


def said(value):
    return Rating(missing="no answer") if value is None else Rating({"overall": value})


def talk(candidate, persona, people=(3, 3, 3, 3), model=None, **settings):
    """Four turns; the formula says 3 in each unless ``felt`` says otherwise, people and the model what is given."""
    ratings = [
        {NAMES["people"]: said(people[turn]), **({} if model is None else {NAMES["model"]: said(model[turn])})}
        for turn in range(4)
    ]
    return conversation(candidate, persona, CURVE, max_turns=4, ratings=ratings, **settings)


def by_feeler(results):
    return {felt.feeler: felt for felt in results.felt}


def test_the_studys_feeler_makes_the_gap_and_the_formula_stands_beside_it():
    # everybody wants 5. people: base 2, routed 4: gaps 3 and 1; the formula says 3 of both: gaps 2 and 2
    episodes = [talk("base", id, (2, 2, 2, 2)) for id in PERSONAS] + [
        talk("routed", id, (4, 4, 4, 4)) for id in PERSONAS
    ]
    results = build(episodes, raters=[PRIMARY, PEOPLE])
    assert results.feeler == "people"
    assert [rater.name for rater in results.raters] == ["linear"]
    routed, felt = results.candidates["routed"], by_feeler(results)
    assert routed.gap_abs.mean == 1
    assert routed.gap_reduction.mean == pytest.approx(2 / 3)
    assert routed.by_task["burnout"].perceived.mean == 4
    assert felt["people"].candidates["routed"].gap_reduction == routed.gap_reduction
    assert felt["people"].candidates["base"].gap.mean == 3
    assert felt["formula"].candidates["routed"].gap_abs.mean == 2
    assert felt["formula"].candidates["routed"].gap_reduction.mean == 0
    assert [each.feeler for each in results.felt] == ["people", "model", "formula"]
    assert felt["model"].not_run.startswith("not run: no model named (holdfast judge")
    assert felt["model"].candidates == {}
    assert (felt["people"].id, felt["people"].version) == ("people", "abc")


def test_without_a_feeler_it_is_the_formula_as_it_always_was():
    results = build([conversation("base", id, CURVE, felt=2.0) for id in PERSONAS])
    assert results.feeler == "formula"
    assert results.felt[0].feeler == "formula"
    assert results.candidates["base"].gap_abs.mean == 3
    assert {part.mean for part in results.candidates["base"].felt_by_dimension.values()} == {2}
    assert by_feeler(results)["people"].not_run == "not run: the study's feeler is the formula"
    old = Results.model_validate(results.model_dump(exclude={"felt"}))
    assert old.feeler == "formula"


def test_dimensions_that_a_feeler_does_not_give_are_missing():
    results = build([talk("base", id) for id in PERSONAS], raters=[PRIMARY, PEOPLE])
    assert results.candidates["base"].felt_by_dimension == {}


def test_turns_past_the_longest_labelled_chat_are_counted_as_extrapolated():
    episodes = [talk("base", id) for id in PERSONAS]
    people = by_feeler(build(episodes, raters=[PRIMARY, PEOPLE]))["people"]
    assert people.longest_chat == 3
    assert (people.judged, people.extrapolated) == (4 * len(PERSONAS), len(PERSONAS))
    formula = by_feeler(build(episodes, raters=[PRIMARY, PEOPLE]))["formula"]
    assert (formula.longest_chat, formula.extrapolated) == (None, 0)


def test_what_a_feeler_does_not_say_is_missing_with_its_reason_and_never_0():
    episodes = [talk("base", id, people=(4, None, 2, None)) for id in PERSONAS]
    results = build(episodes, raters=[PRIMARY, PEOPLE])
    people = by_feeler(results)["people"]
    assert people.missing == {"no answer": 2 * len(PERSONAS)}
    assert (people.judged, people.extrapolated) == (2 * len(PERSONAS), 0)
    assert results.candidates["base"].by_task["burnout"].perceived.mean == 3


def test_a_model_comes_first_where_the_study_names_one():
    results = build([talk("base", id, model=(1, 1, 1, 5)) for id in PERSONAS], raters=[PRIMARY, MODEL, PEOPLE])
    assert [each.feeler for each in results.felt] == ["model", "people", "formula"]
    assert results.candidates["base"].gap_abs.mean == 3
    assert results.felt[0].extrapolated == 0  # it was fitted on no chat
    assert results.felt[0].prompt_sha256 == "0" * 64


def test_an_echo_of_the_rater_is_told_from_what_is_none():
    # people here say 1 + 2 x the first level; the formula's 3 never varies, of which nothing can be explained
    episodes = []
    for id in PERSONAS:
        plain = conversation("base", id, CURVE, max_turns=4)
        echo = [1 + 2 * turn.primary.values["emotional_reaction"] for turn in plain.turns]
        episodes.append(talk("base", id, echo))
    felt = by_feeler(build(episodes, raters=[PRIMARY, PEOPLE]))
    assert felt["people"].restates.by_turn.share == pytest.approx(1)
    assert felt["people"].restates.within_candidate.share == pytest.approx(1)
    assert felt["people"].restates.by_turn.n == 4 * len(PERSONAS)
    assert felt["people"].restates.by_conversation.n == len(PERSONAS)
    assert felt["formula"].restates.by_turn.share is None
    assert not math.isnan(felt["formula"].candidates["base"].perceived.mean)
