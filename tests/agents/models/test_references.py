from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.agents.models.opening import references
from holdfast.agents.models.references import (
    OPENAI_URL,
    EndpointReference,
    HubReference,
    LangChainReference,
    LocalReference,
    resolve_model,
)
from holdfast.agents.models.spec import ModelSpec
from holdfast.core.errors import InputError

MICRO = Path("somewhere/base")


def test_micro_runs_in_float64_where_the_caller_says() -> None:
    assert resolve_model("micro", MICRO) == LocalReference("micro", MICRO, "float64")
    assert resolve_model(ModelSpec(ref="micro", dtype="float32"), MICRO) == LocalReference("micro", MICRO, "float32")


def test_hf_names_a_folder() -> None:
    word = "hf:models/llama/v2:1"
    assert resolve_model(word, MICRO) == LocalReference(word, Path("models/llama/v2:1"), "auto")
    spec = ModelSpec(ref="hf:./llama", dtype="bfloat16", device="cuda:1")
    assert resolve_model(spec, MICRO) == LocalReference("hf:./llama", Path("./llama"), "bfloat16", "cuda:1")


def test_hf_names_a_model_of_the_hub_where_there_is_no_such_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    word = "hf:Qwen/Qwen3-0.6B@abc123"
    assert resolve_model(word, MICRO) == HubReference(word, "Qwen/Qwen3-0.6B", "abc123")
    assert resolve_model("hf:Qwen/Qwen3-0.6B", MICRO) == HubReference("hf:Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B")
    (tmp_path / "Qwen" / "Qwen3-0.6B@abc123").mkdir(parents=True)
    assert resolve_model(word, MICRO) == LocalReference(word, Path("Qwen/Qwen3-0.6B@abc123"))


def test_a_hub_model_that_is_not_here_says_how_to_fetch_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with pytest.raises(InputError, match=r"neither a folder nor in the Hugging Face cache .* set HF_HUB_OFFLINE=0"):
        references([ModelSpec(ref="hf:nobody/none-such@v1")], MICRO)


def test_openai_needs_a_key_and_another_server_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(InputError, match="openai:gpt-4o needs a key: set OPENAI_API_KEY in the environment, or name"):
        resolve_model("openai:gpt-4o", MICRO)
    own = ModelSpec(ref="openai:Qwen/Qwen3-8B", base_url="http://localhost:8000/v1/")
    assert resolve_model(own, MICRO) == EndpointReference(own.ref, "Qwen/Qwen3-8B", "http://localhost:8000/v1", None)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert resolve_model("openai:gpt-4o", MICRO) == EndpointReference(
        "openai:gpt-4o", "gpt-4o", OPENAI_URL, "OPENAI_API_KEY"
    )
    assert resolve_model(own, MICRO).key_env is None  # type: ignore[union-attr]  # OpenAI's key is not shown to others
    named = own.model_copy(update={"api_key_env": "MY_KEY"})
    with pytest.raises(InputError, match=r"set MY_KEY in the environment$"):
        resolve_model(named, MICRO)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("anthropic:claude-sonnet-4-5", "anthropic:claude-sonnet-4-5"),
        ("langchain:openai:gpt-4o", "openai:gpt-4o"),
        ("ollama:llama3.1:8b", "ollama:llama3.1:8b"),
    ],
)
def test_langchain_by_its_own_spelling(word: str, name: str) -> None:
    assert resolve_model(word, MICRO) == LangChainReference(word, name)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("mirco", "unknown model reference 'mirco'; allowed: micro, hf:NAME_OR_PATH"),
        ("mirco", "did you mean 'micro'?"),
        ("hf:", "'hf:' names no folder; write hf:NAME_OR_PATH"),
        ("openai: ", "'openai:' names no model; write openai:MODEL"),
        ("gpt-4o", "unknown model reference 'gpt-4o'"),
        ("gpt-4o", "behind an endpoint it is openai:gpt-4o"),
        ("antropic:claude", "did you mean 'anthropic'?"),
        ("", "unknown model reference ''"),
    ],
)
def test_unknown_words_say_what_is_allowed(reference: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve_model(reference, MICRO)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (ModelSpec(ref="micro", base_url="http://x/v1"), "model 'micro': base_url means nothing for micro; remove it"),
        (ModelSpec(ref="hf:./x", retries=3), "model 'hf:./x': retries means nothing for hf"),
        (ModelSpec(ref="openai:m", base_url="http://x/v1", dtype="float16"), "dtype means nothing for openai"),
    ],
)
def test_a_setting_of_another_kind_of_model_is_refused(spec: ModelSpec, says: str) -> None:
    with pytest.raises(InputError, match=says):
        resolve_model(spec, MICRO)


def test_reading_a_reference_imports_no_torch() -> None:
    program = (
        "import sys, holdfast.agents.models.opening; "
        "sys.exit(bool({'torch', 'aiohttp', 'transformers', 'langchain_core'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
