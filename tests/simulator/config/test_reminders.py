"""Reminders that a quarter hides, and the terms of "holds": warned of and checked before the first turn."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from holdfast.agents.assistants.specs import BaseSpec, ReminderSpec
from holdfast.core.errors import InputError
from holdfast.simulator.config.holding import HoldingTerms
from holdfast.simulator.config.plan import differences, resolve
from holdfast.simulator.config.recorded import recorded_plan
from holdfast.simulator.config.reminders import hidden_period
from holdfast.simulator.config.study import StudyConfig
from holdfast.simulator.config.study_file import load_study

REMINDED = "candidates: [base, {{kind: system_prompt_with_reminder, every: {every}}}]\nturns: {turns}\n"


@pytest.mark.parametrize(
    ("every", "turns", "hidden"),
    [(6, 24, True), (5, 24, False), (4, 24, False), (3, 24, True), (1, 24, False), (4, 64, True), (2, 6, False)],
)
def test_a_period_that_divides_a_quarter_is_warned_of(tmp_path: Path, every: int, turns: int, hidden: bool) -> None:
    (tmp_path / "study.yaml").write_text(REMINDED.format(every=every, turns=turns))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_study(tmp_path / "study.yaml")
    said = [str(warning.message) for warning in caught]
    assert bool(said) == hidden
    if hidden:
        assert f"a reminder every {every} turns divides a quarter of {turns} turns" in said[0]
        assert said[0].startswith("candidate 'system_prompt_with_reminder'")


def test_the_period_that_it_advises_divides_no_quarter() -> None:
    every_3, every_4 = (ReminderSpec(name="r", every=every) for every in (3, 4))
    said = hidden_period(every_3, [24])
    assert said.endswith("such as 4")
    assert hidden_period(every_4, [24]) == hidden_period(BaseSpec(name="b"), [24]) == ""


def test_the_terms_of_holding_are_read_and_checked_in_their_place(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("candidates: [base]\nholding: {margin: 0.05, level: 0.8}\n")
    assert load_study(path).holding == HoldingTerms(margin=0.05, level=0.8, below_base=0.05)
    for text, fault in (
        ("holding: {margin: 0}", r":2:19: holding.margin: expected"),
        ("holding: {level: 1}", r":2:18: holding.level: expected"),
        ("holding: {margn: 0.1}", r":2:11: unknown key 'margn'; did you mean 'margin'"),
    ):
        path.write_text(f"candidates: [base]\n{text}\n")
        with pytest.raises(InputError, match=fault):
            load_study(path)


def test_the_terms_stand_in_the_journal_and_older_studies_keep_their_hash() -> None:
    plain, strict = (
        resolve(StudyConfig.model_validate({"candidates": ["base"], **more}))
        for more in ({}, {"holding": {"level": 0.8}})
    )
    assert "holding" not in json.loads(plain.fingerprint)
    assert differences(plain.fingerprint, strict.fingerprint) == [
        "holding.below_base: was absent, now 0.05",
        "holding.level: was absent, now 0.8",
        "holding.margin: was absent, now 0.1",
    ]
    meta = {"study": strict.fingerprint, "study_sha256": strict.sha256}
    assert recorded_plan(meta, Path("journal.sqlite")).study.holding.level == 0.8


def test_the_json_schema_of_a_study_says_what_is_assumed() -> None:
    schema = StudyConfig.model_json_schema()["$defs"]["HoldingTerms"]["properties"]
    assert {name: field["default"] for name, field in schema.items()} == {
        "margin": 0.1,
        "level": 0.7,
        "below_base": 0.05,
    }
    assert all("holdfast's assumption" in field["description"] for field in schema.values())
