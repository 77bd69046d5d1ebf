"""The mutation test itself: what it changes, what it finds, and that it can fail."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from holdfast.agents.users.effects import measured
from holdfast.agents.users.effects.changing import changed, fields_of
from holdfast.agents.users.effects.held import held_talk
from holdfast.agents.users.effects.measured import FieldEffect, effects_of, purpose_of
from holdfast.agents.users.effects.scripts import scripts_for
from holdfast.personas.checks import languages
from holdfast.personas.loading import library, load_persona, persona_check, tasks
from holdfast.personas.schema import Persona
from tests.personas.conftest import GOOD

JUN = library()["jun_park"]


@pytest.fixture
def ana(tmp_path: Path) -> Persona:
    (tmp_path / "ana.yaml").write_text(GOOD, encoding="utf-8")
    return load_persona(tmp_path / "ana.yaml")


def found(persona: Persona) -> dict[str, FieldEffect]:
    effects = asyncio.run(effects_of(persona, tasks(), languages()))
    return {".".join(map(str, effect.path)): effect for effect in effects}


def test_each_field_is_changed_alone_and_stays_valid() -> None:
    paths = list(fields_of(JUN))
    assert len(paths) == len(set(paths)) > 190
    whole = JUN.model_dump(mode="json", exclude_none=True)
    for path in paths:
        for other in changed(JUN, path, tasks(), languages()):
            data = other.model_dump(mode="json", exclude_none=True)
            assert data != whole
            if path[-1] != "id":
                for part in path[:-1]:
                    data = data[part]
                value = data[path[-1]]
                again = JUN.model_dump(mode="json", exclude_none=True)
                spot = again
                for part in path[:-1]:
                    spot = spot[part]
                spot[path[-1]] = value
                assert Persona.model_validate(again) == other


def test_other_orders_of_goals_have_no_circle(tmp_path: Path) -> None:
    import yaml

    from holdfast.core.yaml_source import read_yaml

    for path in fields_of(JUN):
        if path[0] == "goals" and path[-1] in {"after", "id"}:
            for other in changed(JUN, path, tasks(), languages()):
                file = tmp_path / "other.yaml"
                file.write_text(yaml.safe_dump(other.model_dump(mode="json", exclude_none=True)), encoding="utf-8")
                assert list(persona_check(None)(read_yaml(file))) == []


def test_talks_are_the_same_for_the_same_arguments() -> None:
    script = next(script for script in scripts_for(JUN) if script.name == "kind")

    def hold(seed: int) -> object:
        return asyncio.run(held_talk(JUN, script, seed, natural=True))

    assert hold(0) == hold(0)
    assert hold(0) != hold(1)


def test_what_fields_of_a_plain_persona_change(ana: Persona) -> None:
    effects = found(ana)
    nothing = {name for name, effect in effects.items() if effect.changes == "nothing"}
    assert nothing == {"id", "name", "task", "background", "goals.0.id", "goals.1.id"}
    assert all(effects[name].used_for for name in nothing)
    said = {
        "speech",
        "goals.0.need",
        "feelings.0",
        "topics.1",
        "desired_empathy",
        "patience",
        "language",
        "goals.1.after",
    }
    assert {effects[name].changes for name in said} == {"messages"}


def test_a_dead_field_without_a_purpose_is_told(ana: Persona, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = Persona.model_json_schema()
    schema["properties"]["background"].pop("used_for")
    monkeypatch.setattr(measured, "_schema", lambda: schema)
    assert [name for name, effect in found(ana).items() if effect.unexplained] == ["background"]


def test_words_that_can_never_be_said_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert JUN.story is not None
    first, *others = JUN.story.facts
    shadowed = first.model_copy(update={"says": ("Nobody ever hears this one.",)})  # the same question, after the first
    story = JUN.story.model_copy(update={"facts": (first, shadowed, *others), "openings": JUN.story.openings})
    kept = [("story", "facts", 1, "says", 0), ("story", "facts", 1, "asks", 0)]
    monkeypatch.setattr(measured, "fields_of", lambda _: kept)
    monkeypatch.setattr(measured, "FURTHER", 0)
    effects = found(JUN.model_copy(update={"story": story}))
    assert effects["story.facts.1.asks.0"].used_for == "story.facts[1].asks[1] ('how long') holds wherever this does"


def test_early_advice_is_excused_only_where_nobody_minds_it() -> None:
    path = ("story", "advised", 0)
    assert purpose_of(JUN.model_copy(update={"desired_empathy": 1}), path)
    assert not purpose_of(JUN.model_copy(update={"desired_empathy": 2}), path)
    assert not purpose_of(JUN, ("story", "missed", 0))
    assert purpose_of(JUN, ("story", "never"))
