from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from holdfast.agents import registry
from holdfast.agents.assistants.specs import BaseSpec
from holdfast.agents.registry import AnyCandidateSpec, CandidateResources, build, parse
from holdfast.core.errors import InputError
from tests.simulator.scripted import PATTERNS, TASKS, HashModel


class Holder(BaseModel):
    candidates: tuple[AnyCandidateSpec, ...]


def shop() -> CandidateResources:
    return CandidateResources({"micro": HashModel()}, "micro", TASKS, PATTERNS)


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
        (7, (), "a candidate is a word or a mapping with 'kind', got int"),
        ({"kind": "base", "name": "a/b"}, ("name",), "should match pattern"),
        ({"kind": "system_prompt_with_reminder", "every": "3"}, ("every",), "valid integer"),
        ({"kind": "system_prompt", "pattern": "a", "prompt": "b"}, (), "either 'pattern' or 'prompt'"),
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
        build(parse({"kind": "system_prompt", "pattern": "solvr"}), shop())


def test_routed_without_a_router_says_what_to_do() -> None:
    with pytest.raises(InputError, match="holdfast train"):
        build(parse("routed"), shop())


def test_a_word_is_given_once() -> None:
    with pytest.raises(ValueError, match="already registered"):
        registry.register("base", BaseSpec, lambda spec, shop: None)  # type: ignore[arg-type, return-value]
