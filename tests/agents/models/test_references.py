from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.agents.models.opening import references
from holdfast.agents.models.packaged import SMOLLM2
from holdfast.agents.models.references import (
    OPENAI_URL,
    AwayReference,
    EndpointReference,
    HubModel,
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


def test_a_model_of_the_package_index_is_a_word() -> None:
    assert resolve_model("smollm2", MICRO) == AwayReference("smollm2", SMOLLM2)
    spec = ModelSpec(ref="smollm2", dtype="bfloat16")
    assert resolve_model(spec, MICRO) == AwayReference("smollm2", SMOLLM2, "bfloat16")
    assert (spec.local, spec.in_words) == (True, "SmolLM2-135M-Instruct, dequantised Q4_1")
    with pytest.raises(InputError, match="model 'smollm2': base_url means nothing for smollm2"):
        resolve_model(ModelSpec(ref="smollm2", base_url="http://x/v1"), MICRO)
    with pytest.raises(InputError, match=r"unknown model reference 'smollm'; .*did you mean 'smollm2'"):
        resolve_model("smollm", MICRO)


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
    assert resolve_model(word, MICRO) == AwayReference(word, HubModel("Qwen/Qwen3-0.6B", "abc123"))
    assert resolve_model("hf:Qwen/Qwen3-0.6B", MICRO) == AwayReference(
        "hf:Qwen/Qwen3-0.6B", HubModel("Qwen/Qwen3-0.6B")
    )
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
        ("mirco", "unknown model reference 'mirco'; allowed: micro, smollm2, hf:NAME_OR_PATH"),
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
    ("word", "says"),
    [
        ("/srv/models/llama", "a model folder is hf:/srv/models/llama"),
        ("./llama", "a model folder is hf:./llama"),
        ("~/llama", "a model folder is hf:~/llama"),
        ("here", "a model folder is hf:here"),
        ("a/b/c", "a model folder is hf:a/b/c"),
        ("C:\\models\\llama", "a model folder is hf:C:"),
        ("llama-q4.gguf", "a model file is hf:llama-q4.gguf"),
        ("Qwen/Qwen3-8B", "hf:Qwen/Qwen3-8B on this machine, behind an endpoint it is openai:Qwen/Qwen3-8B"),
        ("localhost:8000", "a model at an address is {ref: 'openai:MODEL', base_url: 'http://localhost:8000/v1'}"),
        ("http://gpu01:8000/v1", "{ref: 'openai:MODEL', base_url: 'http://gpu01:8000/v1'}"),
        ("https://me:CANARY@host/v1", "an address belongs under base_url"),
        ("llama3:8b", "unknown model reference 'llama3:8b'"),
    ],
)
def test_what_is_no_reference_says_what_was_meant(
    word: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    with pytest.raises(InputError) as caught:
        resolve_model(word, MICRO)
    assert says in str(caught.value)


def test_a_key_goes_nowhere_that_it_may_be_overheard(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HOLDFAST_KEY_HOSTS", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MY_KEY", "k")
    there = ModelSpec(ref="openai:m", base_url="http://10.0.0.7:8000/v1", api_key_env="MY_KEY")
    with pytest.raises(
        InputError, match=r"would travel unencrypted to http://10.0.0.7:8000; use https .*HOLDFAST_KEY_HO"
    ):
        resolve_model(there, MICRO)
    monkeypatch.setenv("HOLDFAST_KEY_HOSTS", "10.0.0.7")
    assert resolve_model(there, MICRO).key_env == "MY_KEY"  # type: ignore[union-attr]


def test_an_address_of_the_environment_is_checked_and_is_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gpu01:8000/v1")
    assert resolve_model("openai:m", MICRO).base_url == "http://gpu01:8000/v1"  # type: ignore[union-attr]
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gpu01/v1?key=CANARY")
    with pytest.raises(InputError, match="OPENAI_BASE_URL: a query") as caught:
        resolve_model("openai:m", MICRO)
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec(ref="langchain:openai:m", base_url="https://foreign.example.com/v1"),
        ModelSpec(ref="langchain:openai:m", base_url="https://openai.com.example.com/v1"),
        ModelSpec(ref="anthropic:claude", base_url="https://foreign.example.com"),
        ModelSpec(ref="langchain:openai:m", extra={"openai_api_base": "https://foreign.example.com/v1"}),
        ModelSpec(ref="groq:m", extra={"nested": {"urls": ["https://foreign.example.com/v1"]}}),
    ],
)
def test_no_package_of_langchain_sends_its_key_to_a_foreign_address(
    spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-CANARY-12345678")
    monkeypatch.setenv("MY_KEY", "k")
    with pytest.raises(InputError, match=r"is no address of .*'s own, .* name the key for it with 'api_key_env"):
        resolve_model(spec, MICRO)
    named = spec.model_copy(update={"api_key_env": "MY_KEY"})
    assert resolve_model(named, MICRO).key_env == "MY_KEY"  # type: ignore[union-attr]
    with pytest.raises(InputError, match="GITHUB_TOKEN does not look like the key of a model"):
        resolve_model(spec.model_copy(update={"api_key_env": "GITHUB_TOKEN"}), MICRO)


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec(ref="langchain:openai:m", base_url="http://127.0.0.1:8000/v1"),
        ModelSpec(ref="langchain:openai:m", base_url="https://eu.api.openai.com/v1"),
        ModelSpec(ref="ollama:llama3.1:8b", base_url="http://gpu01:11434"),
        ModelSpec(ref="azure_openai:m", extra={"azure_endpoint": "https://mine.openai.azure.com"}),
        ModelSpec(ref="groq:m"),
    ],
)
def test_a_package_may_reach_its_own_provider_and_this_machine(spec: ModelSpec) -> None:
    assert resolve_model(spec, MICRO).key_env is None  # type: ignore[union-attr]


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
