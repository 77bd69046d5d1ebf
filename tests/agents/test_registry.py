from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, ValidationError

from holdfast.agents import registry
from holdfast.agents.assistants.specs import BaseSpec, CandidateSpec
from holdfast.agents.registry import AnyCandidateSpec, build_candidate, parse
from holdfast.core.errors import InputError
from tests.simulator.scripted import HashModel, ScriptedResources


class Holder(BaseModel):
    candidates: tuple[AnyCandidateSpec, ...]


def test_a_word_is_short_for_a_mapping() -> None:
    assert parse("base") == parse({"kind": "base"}) == BaseSpec(name="base")


def test_what_is_written_reads_back() -> None:
    holder = Holder(candidates=("base", {"kind": "adapter", "adapter": "solver", "name": "a"}))  # type: ignore[arg-type]
    assert Holder.model_validate(holder.model_dump(mode="json")) == holder


@pytest.mark.parametrize(
    ("candidate", "place", "message"),
    [
        ("sytem_prompt", (), "unknown candidate kind 'sytem_prompt'; did you mean 'system_prompt'?"),
        ({"kind": "routed", "expert": {}}, ("expert",), "Extra inputs are not permitted"),
        ({"kind": "adapter"}, ("adapter",), "Field required"),
        ({"name": "x"}, (), "a candidate needs a 'kind'; allowed: base, system_prompt"),
        ({"kind": ["base"]}, (), "unknown candidate kind"),
        (7, (), "a candidate is a word or a mapping with 'kind'; got 7"),
        ({"kind": "base", "name": "a/b"}, ("name",), "should match pattern"),
        ({"kind": "system_prompt_with_reminder", "every": "3"}, ("every",), "valid integer"),
        ({"kind": "system_prompt", "pattern": "a", "prompt": "b"}, (), "only one of 'pattern', 'prompt'"),
    ],
)
def test_a_fault_says_where_and_what_is_allowed(candidate: object, place: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Holder(candidates=("base", candidate))  # type: ignore[arg-type]
    (fault,) = caught.value.errors()
    assert fault["loc"] == ("candidates", 1, *place)
    assert message in fault["msg"]


def test_an_unknown_pattern_is_named() -> None:
    with pytest.raises(InputError, match="'solvr'; did you mean 'solver'"):
        build_candidate(parse({"kind": "system_prompt", "pattern": "solvr"}), ScriptedResources(HashModel()))


def test_routed_without_a_router_says_what_to_do() -> None:
    with pytest.raises(InputError, match="holdfast train"):
        build_candidate(parse("routed"), ScriptedResources(HashModel()))


def test_a_word_is_given_once() -> None:
    with pytest.raises(ValueError, match="already registered"):
        registry.register("base", BaseSpec, lambda spec, resources: None)  # type: ignore[arg-type, return-value]


def test_the_json_schema_names_every_kind_that_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    class LoudSpec(CandidateSpec):
        kind: Literal["loud"] = "loud"
        volume: int = 1

    monkeypatch.setattr(registry._KINDS, "entries", dict(registry._KINDS.entries))
    registry.register("loud", LoudSpec, lambda spec, resources: None)  # type: ignore[arg-type, return-value]
    mapping, word = Holder.model_json_schema()["properties"]["candidates"]["items"]["anyOf"]
    assert set(mapping["discriminator"]["mapping"]) == set(registry.kinds())
    assert word == {"type": "string"}
    assert "loud" in registry.kinds()
    assert registry.kinds()[:3] == ("base", "system_prompt", "system_prompt_with_reminder")
