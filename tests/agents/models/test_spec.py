"""What YAML may say about a model, and that a key in it is refused without being repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.agents.models.spec import ModelSpec, effect, parse_model, written
from holdfast.core.errors import InputError
from holdfast.simulator.cli.main import run_command
from holdfast.simulator.config.plan import differences, resolve
from holdfast.simulator.config.study import StudyConfig
from tests.personas.reading import load_text

KEY = "sk-proj-CANARY0123456789abcdef"


def load(yaml: str) -> StudyConfig:
    return load_text(yaml, StudyConfig, name="study.yaml")


def test_a_word_and_a_mapping_with_nothing_else_are_the_same() -> None:
    assert parse_model("micro") == parse_model({"ref": "micro"}) == ModelSpec(ref="micro")
    assert hash(parse_model("micro")) == hash(parse_model({"ref": "micro"}))
    assert written(parse_model({"ref": "micro"})) == "micro"


def test_study_and_candidates_may_have_a_model_each() -> None:
    study = load(
        """
model: {ref: 'openai:m', base_url: 'http://localhost:8000/v1', extra: {top_k: 5}, prices: {prompt: 1.5}}
candidates:
  - base
  - {kind: base, name: small, model: micro}
  - {kind: base, name: half, model: {ref: micro, dtype: float32}}
"""
    )
    assert [None if spec.model is None else spec.model.key for spec in study.candidates] == [
        None,
        "micro",
        '{"dtype": "float32", "ref": "micro"}',
    ]
    assert study.model.extra == {"top_k": 5}
    assert StudyConfig.model_validate(study.model_dump(mode="json")) == study


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        ("model: mirco", "study.yaml:1:8: model: unknown model reference 'mirco'; allowed: micro, smollm2, hf:"),
        ("model: {ref: 'openai:m', base_ulr: 'http://x/v1'}", "study.yaml:1:26: unknown key 'base_ulr'; did you mean"),
        ("model: {ref: 'openai:m', timeout_s: -1}", "timeout_s"),
        ("model: {base_url: 'http://x/v1'}", "key 'ref' is missing"),
        ("model: 7", "a model is a word such as micro, or a mapping with 'ref', got 7"),
        ("model: {ref: 'openai:m', base_url: 'localhost:8000'}", "base_url"),
        (
            "model: {ref: 'openai:m', base_url: 'localhost:8000'}",
            "study.yaml:1:36: model.base_url: 'localhost:8000' must",
        ),
        ("model: {ref: 'openai:m', base_url: 'localhost:8000'}", "write http://localhost:8000/v1"),
        ("model: {ref: 'openai:m', served_as: 'x'}", "served_as"),
        (
            "model: {ref: 'openai:m', extra: {messages: []}}",
            "'extra' may not set 'messages': the conversation makes them",
        ),
        ("model: {ref: 'openai:m', extra: {top_k: 1, model: n}}", "study.yaml:1:"),
        ("model: {ref: 'openai:m', extra: {stream: true}}", "'extra' may not set 'stream': answers are read whole"),
        ("model: {ref: 'openai:m', extra: {n: 4}}", "'extra' may not set 'n': one answer is read; remove it"),
    ],
)
def test_a_fault_has_its_place(yaml: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        load(yaml + "\ncandidates: [base]")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "yaml",
    [
        f"model: {KEY}",
        f"model: {{ref: 'openai:m', api_key: {KEY}}}",
        "model: {ref: 'openai:m', api_key: 0123456789abcdefCANARY}",
        "model: {ref: 'openai:m', key: CANARY}",
        f"model: {{ref: 'openai:m', api_key_env: {KEY}}}",
        "model: {ref: 'openai:m', api_key_env: 0123CANARY4567}",
        "model: {ref: 'openai:m', extra: {headers: {Authorization: 'Bearer CANARY'}}}",
        "model: {ref: 'openai:m', base_url: 'https://me:CANARY@host/v1'}",
        "model: {ref: 'openai:m', base_url: 'https://host/v1?api_key=CANARY'}",
        "model: {ref: 'openai:m', base_url: 'https://host/v1?CANARY'}",
        "model: {ref: 'langchain:openai:m', base_url: 'https://host/v1#CANARY'}",
    ],
)
def test_a_key_in_yaml_is_refused_and_not_repeated(yaml: str) -> None:
    for text in (f"{yaml}\ncandidates: [base]", f"candidates: [{{kind: base, {yaml}}}]"):
        with pytest.raises(InputError) as caught:
            load(text)
        assert "environment" in str(caught.value)
        assert "CANARY" not in str(caught.value)


@given(st.text(alphabet="abcdefghij-0123456789", min_size=8, max_size=40))
def test_whatever_stands_behind_the_word_key_is_not_repeated(key: str) -> None:
    with pytest.raises(ValueError, match="environment only") as caught:
        parse_model({"ref": "openai:m", "api_key": key})
    assert key not in str(caught.value)


def test_a_key_in_an_address_is_not_shown_by_pydantic_either() -> None:
    for model in (
        {"ref": "openai:m", "base_url": "https://me:CANARY@host/v1"},
        {"ref": "openai:m", "api_key": "CANARY"},
    ):
        with pytest.raises(ValueError, match="1 validation error") as caught:
            StudyConfig.model_validate({"candidates": ["base"], "model": model})
        assert "CANARY" not in str(caught.value)


def test_another_port_is_the_same_study_and_another_model_is_not() -> None:
    def fingerprint(**model: object) -> str:
        spec = {"ref": "openai:m", "base_url": "http://localhost:8000/v1"} | model
        return resolve(
            StudyConfig.model_validate(
                {"candidates": ("base", {"kind": "base", "name": "b", "model": spec}), "model": spec}
            )
        ).fingerprint

    assert fingerprint() == fingerprint(base_url="http://10.0.0.7:9/v1", retries=1, api_key_env="K", cache="c.sqlite")
    assert differences(fingerprint(), fingerprint(ref="openai:n"))[0].startswith('candidates.2.model: was "openai:m"')
    assert differences(fingerprint(), fingerprint(extra={"top_k": 1}))


def test_effect_of_a_word_is_the_word() -> None:
    assert effect("micro") == "micro"
    assert effect({"ref": "openai:m", "retries": 2}) == "openai:m"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--model", "mirco"], "--model: unknown model reference 'mirco'"),
        (["--model", "openai:m", "--base-url", "localhost"], "must begin with http:// or https://"),
        (["--model", "openai:m", "--base-url", "https://me:CANARY@x/v1"], "environment only"),
        (["--model", "openai:m", "--base-url", "https://x/v1?key=CANARY"], "environment only"),
        (["--model", KEY], "environment only"),
        (["--base-url", "http://x/v1"], "name it with --model"),
        (["--model", "micro", "--base-url", "http://x/v1"], "base_url means nothing for micro"),
    ],
)
def test_the_command_line_takes_the_same_words(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.yaml").write_text("candidates: [base]")
    assert run_command(["run", str(tmp_path / "study.yaml"), "--out", str(tmp_path / "run"), *options]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert "CANARY" not in told
