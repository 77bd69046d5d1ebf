"""The study's word ``feeler``, and the raters that it stands for."""

from __future__ import annotations

import json

import pytest
from pydantic import TypeAdapter, ValidationError

from holdfast.agents.raters.felt.feelers import NAMES, Feeler, FeelerSpec, feeling_raters, feelings, kind_of
from holdfast.agents.raters.protocol import FELT, Rating
from holdfast.agents.raters.specs import FittedSpec, JudgeSpec
from holdfast.simulator.config.plan import differences, resolve
from holdfast.simulator.config.study import StudyConfig

FEELER: TypeAdapter[FeelerSpec] = TypeAdapter(Feeler)
MODEL = {"kind": "model", "model": "openai:m", "samples": 3, "history": 4}


def study(**fields: object) -> StudyConfig:
    return StudyConfig.model_validate({"personas": {"ids": ["jun_park"]}, "candidates": ["base"], **fields})


@pytest.mark.parametrize("written", ["people", "formula"])
def test_words_are_read_and_written_back(written: str) -> None:
    assert FEELER.dump_python(FEELER.validate_python(written), mode="json") == written
    assert FEELER.validate_python({"kind": written}) == FEELER.validate_python(written)


def test_a_model_is_a_mapping_and_unknown_words_are_refused() -> None:
    spec = FEELER.validate_python(MODEL)
    assert FEELER.validate_python(FEELER.dump_python(spec, mode="json")) == spec
    with pytest.raises(ValidationError, match="'people', 'formula', 'model'"):
        FEELER.validate_python("peple")
    with pytest.raises(ValidationError, match="Field required"):
        FEELER.validate_python({"kind": "model"})


def test_who_is_asked() -> None:
    people = FittedSpec(scale="felt", name=NAMES["people"])
    assert feeling_raters(FEELER.validate_python("formula")) == ()
    assert feeling_raters(FEELER.validate_python("people")) == (people,)
    model, beside = feeling_raters(FEELER.validate_python(MODEL))
    assert beside == people
    assert isinstance(model, JudgeSpec)
    assert (model.label, model.scale, model.model.ref) == (NAMES["model"], FELT.id, "openai:m")
    assert (model.samples, model.history) == (3, 4)


def test_feelers_are_told_from_raters_by_their_names() -> None:
    assert [kind_of(name) for name in ("linear", "people", *NAMES.values())] == [None, None, "people", "model"]
    ratings = {"linear": Rating(), NAMES["model"]: Rating(missing="no"), NAMES["people"]: Rating({"overall": 2.0})}
    assert list(feelings(ratings)) == ["model", "people"]
    with pytest.raises(ValidationError, match="two raters are named 'felt by people'"):
        study(raters=[{"kind": "linear", "name": "felt by people"}])


def test_a_study_from_before_there_were_feelers_is_one_of_the_formula() -> None:
    formula, people = resolve(study(feeler="formula")), resolve(study())
    assert "feeler" not in json.loads(formula.fingerprint)
    assert json.loads(people.fingerprint)["feeler"] == "people"
    assert differences(formula.fingerprint, people.fingerprint) == ['feeler: was "formula", now "people"']
    assert differences(formula.fingerprint, formula.fingerprint) == []
