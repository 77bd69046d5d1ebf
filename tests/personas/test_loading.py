from typing import Annotated, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from holdfast.core.errors import InputError
from holdfast.personas.loading import load_persona, load_personas, load_yaml
from holdfast.personas.schema import Frozen, Persona
from tests.personas.reading import load_text


class Prompted(Frozen):
    kind: Literal["prompted"]
    every: Annotated[int, Field(ge=1)] = 8


class Adapted(Frozen):
    kind: Literal["adapted"]
    adapted: str  # named as the union's tag: the place must not be confused with it


class Plan(Frozen):
    rate: float = 0.1
    limit: int | None = None
    candidates: tuple[Literal["base"] | Annotated[Prompted | Adapted, Field(discriminator="kind")], ...] = ()
    by_name: dict[str, Annotated[int, Field(gt=0, lt=10)]] = Field(default_factory=dict)


def faults(text, model=Plan):
    with pytest.raises(InputError) as caught:
        load_text(text, model, name="f")
    return [str(fault) for fault in caught.value.faults]


def test_a_good_file_is_read_as_it_stands(tmp_path, good):
    (tmp_path / "a.yaml").write_text("\ufeff" + good.replace("\n", "\r\n"))
    persona = load_persona(tmp_path / "a.yaml")
    assert persona.name == "Ana Silva"
    assert persona.goals[1].after == ("rest",)
    assert persona.temperament.reactivity == 0.5
    assert persona.temperament.stickiness == 0.6


def test_scalars_follow_yaml_1_2(tmp_path):
    class Words(Frozen):
        words: tuple[str, ...]
        numbers: tuple[float, ...]

    path = tmp_path / "w.yaml"
    path.write_text("words: [no, on, 12:30, 2024-01-01, 1_000, '7']\nnumbers: [1e-3, 0x10, -.5, 007]\n")
    read = load_yaml(path, Words)
    assert read.words == ("no", "on", "12:30", "2024-01-01", "1_000", "7")
    assert read.numbers == (0.001, 16, -0.5, 7)


def test_joiners_that_spell_persian_are_no_hidden_characters(good):
    assert load_text(good.replace("Ana Silva", "می\u200cرود"), Persona).name == "می\u200cرود"


def test_nested_unions_are_placed_and_described():
    kinds = "prompted or adapted"
    assert faults("candidates: [base, bse]") == [
        f"f:1:20: candidates[2]: expected base or a mapping whose kind is {kinds}, got 'bse'; did you mean 'base'?"
    ]
    assert faults("candidates:\n  - {kind: promted}\n") == [
        f"f:2:5: candidates[1]: kind: expected {kinds}, got 'promted'; did you mean 'prompted'?"
    ]
    assert faults("candidates:\n  - {every: 3}\n") == [f"f:2:5: candidates[1]: key 'kind' is missing; add it: {kinds}"]
    assert faults("candidates:\n  - {kind: prompted, every: 0}\n") == [
        "f:2:29: candidates[1].every: expected a whole number at least 1, got 0"
    ]
    assert faults("candidates:\n  - {kind: adapted, adapted: 3}\n") == [
        "f:2:30: candidates[1].adapted: expected text, got 3"
    ]
    assert faults("candidates:\n  - {kind: adapted, adapted: x, evry: 3}\n") == [
        "f:2:33: unknown key 'evry'; remove it (keys: adapted, kind)"
    ]


def test_numbers_lists_and_maps_are_described():
    assert faults("limit: x") == ["f:1:8: limit: expected a whole number or nothing, got 'x'"]
    assert faults("rate: [1]") == ["f:1:7: rate: expected a number, got a list of 1"]
    assert faults("by_name: {a: 10, b: 2}") == [
        "f:1:14: by_name.a: expected a whole number above 0 and below 10, got 10"
    ]
    assert faults("candidates: {a: 1}") == ["f:1:13: candidates: expected a list, got a mapping with the key 'a'"]


def test_checks_add_faults_but_never_twice_in_one_place():
    def check(source):
        yield source.fault(("rate",), "too fast")
        yield source.fault(("limit",), "too low")
        yield source.fault(("by_name", "gone"), "nothing here: told at the nearest thing around", at_key=True)

    with pytest.raises(InputError) as caught:
        load_text("rate: x\nlimit: 1\n", Plan, [check], name="f")
    assert str(caught.value).split("\n") == [
        "f:1:1: nothing here: told at the nearest thing around",
        "f:1:7: rate: expected a number, got 'x'",
        "f:2:8: too low",
    ]


def test_files_and_folders_are_read_once_each(tmp_path, good):
    (tmp_path / "a.yaml").write_text(good)
    (tmp_path / "b.yml").write_text(good.replace("id: ana", "id: eva"))
    (tmp_path / "notes.txt").write_text("not a persona")
    personas = load_personas([tmp_path / "b.yml", tmp_path, tmp_path / "a.yaml"])
    assert [persona.id for persona in personas] == ["eva", "ana"]


def test_one_id_in_two_files_names_both_places(tmp_path, good):
    (tmp_path / "a.yaml").write_text(good)
    (tmp_path / "b.yaml").write_text("# copied\n" + good)
    assert [str(fault) for fault in found(load_personas, [tmp_path])] == [
        f"{tmp_path}/b.yaml:2:5: persona id 'ana' is taken by {tmp_path}/a.yaml:1:5; rename one"
    ]


def test_faults_of_all_files_come_together(tmp_path, good):
    (tmp_path / "a.yaml").write_text(good.replace("warm", "cold"))
    (tmp_path / "b.yaml").write_text("- 1")
    (tmp_path / "empty").mkdir()
    faults = found(load_personas, [tmp_path, tmp_path / "empty", tmp_path / "c.yaml"])
    places = [str(fault).split(": ")[0] for fault in faults]
    assert sorted(places) == sorted(
        [f"{tmp_path}/empty", f"{tmp_path}/a.yaml:5:9", f"{tmp_path}/b.yaml:1:1", f"{tmp_path}/c.yaml"]
    )


def found(load, *arguments):
    """The faults that loading finds; None where there are none."""
    try:
        load(*arguments)
    except InputError as error:
        return error.faults
    return None


YAMLISH = st.text(alphabet="ab: -[]{}\n\t'\"&*!|>%#?,.0123456789~@`\\éU\u202e", max_size=200)


@settings(max_examples=600, deadline=None)
@given(text=st.one_of(YAMLISH, st.text(max_size=200)))
def test_any_text_is_refused_with_places(text):
    faults = found(load_text, text, Persona, (), "f")
    assert faults  # none of these is a whole persona
    assert all(fault.source == "f" and fault.line and fault.column for fault in faults)
    assert all(str(fault).isprintable() and len(fault.message) < 700 for fault in faults)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    faults = found(load_text, data, Plan)
    assert faults is None or len(faults) > 0


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*Persona.model_fields, "x"]), inner),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(values=st.dictionaries(st.sampled_from([*Persona.model_fields, "x"]), VALUES))
def test_any_values_are_refused_with_places(values, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "p.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8", errors="surrogatepass")
    faults = found(load_persona, path)
    assert faults
    assert all(fault.line for fault in faults)


@pytest.mark.parametrize("name", [".#noor.yaml", "._noor.yaml", ".noor.yml", "#noor.yaml", "~$noor.yaml"])
def test_what_editors_and_systems_leave_in_a_folder_is_passed_over(tmp_path, good, name):
    (tmp_path / "ana.yaml").write_text(good)
    (tmp_path / name).symlink_to("nobody@nowhere.1:2")  # an emacs lock is a link to nothing
    (tmp_path / "ana.yaml~").write_text("{")
    assert [persona.id for persona in load_personas([tmp_path])] == ["ana"]
    (tmp_path / "ana.yaml").unlink()
    with pytest.raises(InputError, match=r"holds no \.yaml file"):
        load_personas([tmp_path])
