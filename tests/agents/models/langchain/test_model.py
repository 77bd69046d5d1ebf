"""Models through LangChain: its own OpenAI class against a real server, and a clear word where it is absent."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import nullcontext

import pytest

from holdfast.agents.models.keys import HIDDEN
from holdfast.agents.models.langchain.model import LangChainChatModel
from holdfast.agents.models.opening import open_models
from holdfast.agents.models.references import resolve_model
from holdfast.agents.models.spec import ModelSpec
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.errors import InputError, ModelError
from holdfast.simulator.runtime.resources import base_path
from tests.agents.models.langchain.by_langchain import through_langchain
from tests.servers.faults import Faults
from tests.servers.openai_server import ScriptedServer

REQUEST = GenerationRequest("c", (Message("user", "I feel torn."),), seed=1, sampling=Sampling(0.2, 0.9, 5))


def over_openai(server: ScriptedServer) -> LangChainChatModel:
    openai = pytest.importorskip("langchain_openai.chat_models.base", reason="needs langchain-openai")

    def make(**settings: object) -> object:
        return openai.BaseChatOpenAI(model="m", base_url=server.base_url, api_key="sk-CANARY-123456", **settings)

    return LangChainChatModel("openai:m", make, {"max_retries": 0})  # type: ignore[arg-type]


async def test_a_langchain_model_speaks() -> None:
    async with ScriptedServer(keep=True) as server:
        model = over_openai(server)
        made = await model.generate(REQUEST)
        again = await model.generate(REQUEST)
        sent = server.requests[0]
    assert (sent["temperature"], sent["top_p"], sent["max_tokens"]) == (0.2, 0.9, 5)
    assert sent["messages"] == [{"role": "user", "content": "I feel torn."}]
    assert made == again
    assert (made.prompt_tokens, made.completion_tokens, made.finish_reason) == (3, 5, "length")
    assert model.counters()["completion_tokens"] == 10


async def test_what_utf8_cannot_hold_is_repaired_before_it_is_sent() -> None:
    async with ScriptedServer(keep=True) as server:
        model = over_openai(server)
        assert (await model.generate(GenerationRequest("c", (Message("user", "I am \ud800 torn."),), 1))).text
    assert server.requests[0]["messages"] == [{"role": "user", "content": "I am \ufffd torn."}]


async def test_its_failures_are_ours_and_hide_the_key() -> None:
    async with ScriptedServer(api_key="another") as server:
        with pytest.raises(ModelError, match=r"openai:m: \w*AuthenticationError: .*401") as caught:
            await over_openai(server).generate(REQUEST)
    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_it_has_no_adapters() -> None:
    async with ScriptedServer() as server:
        with pytest.raises(ModelError, match="knows no adapters"):
            await over_openai(server).generate(GenerationRequest("c", REQUEST.messages, 1, adapter="warm"))


@pytest.mark.parametrize(("retries", "expected"), [(2, "answered"), (1, "failed")])
async def test_a_spec_says_where_it_is_and_how_often_to_try(
    retries: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first two tries of a request meet an error; the third is answered, where there is one."""
    through_langchain(monkeypatch)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-CANARY-123456")
    async with ScriptedServer(Faults(1.0, weights={"500": 1.0}, in_a_row=2)) as server:
        spec = ModelSpec.model_validate({"ref": "langchain:openai:m", "base_url": server.base_url, "retries": retries})
        model = open_models({spec: resolve_model(spec, base_path())})[spec]
        assert isinstance(model, LangChainChatModel)
        with nullcontext() if expected == "answered" else pytest.raises(ModelError, match=r"openai:m: .*500"):
            await model.generate(REQUEST)
    assert model.counters()[expected] == 1
    assert server.met["500"] == 2


def test_a_missing_key_is_told_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    through_langchain(monkeypatch)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    spec = ModelSpec(ref="langchain:openai:m")
    with pytest.raises(InputError, match=r"openai:m cannot be made: .*OPENAI_API_KEY"):
        open_models({spec: resolve_model(spec, base_path())})


@pytest.mark.skipif(importlib.util.find_spec("langchain") is None, reason="needs langchain")
def test_a_providers_package_that_is_missing_is_told_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_anthropic", None)
    spec = ModelSpec(ref="anthropic:claude-sonnet-4-5")
    with pytest.raises(InputError, match=r"pip install 'holdfast\[langchain\]' and the .*langchain-anthropic"):
        open_models({spec: resolve_model(spec, base_path())})


async def test_a_key_that_the_study_names_is_the_one_that_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """And OpenAI's own stays here, and out of what the model shows of itself."""
    through_langchain(monkeypatch)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-CANARY-other-0123456789")
    monkeypatch.setenv("MY_KEY", "sk-CANARY-named-0123456789")
    async with ScriptedServer(api_key="sk-CANARY-named-0123456789") as server:
        spec = ModelSpec(ref="langchain:openai:m", base_url=server.base_url, api_key_env="MY_KEY")
        (model,) = open_models({spec: resolve_model(spec, base_path())}).values()
        assert (await model.generate(REQUEST)).text
        assert "CANARY" not in repr(model)


@pytest.mark.parametrize("named", [True, False], ids=["the study's", "the provider's own"])
async def test_a_key_that_is_echoed_is_hidden(named: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable's name ends in nothing that gives a key away."""
    through_langchain(monkeypatch)
    secret = "sk-CANARY-echoed-0123456789"
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    monkeypatch.setenv("API_KEY_OF_MINE", secret)
    monkeypatch.delenv("OPENAI_API_KEY") if named else None
    more = {"api_key_env": "API_KEY_OF_MINE"} if named else {}
    async with ScriptedServer(answer=lambda body: f"Your key is {secret}.") as server:
        spec = ModelSpec.model_validate({"ref": "langchain:openai:m", "base_url": server.base_url, **more})
        (model,) = open_models({spec: resolve_model(spec, base_path())}).values()
        assert (await model.generate(REQUEST)).text == f"Your key is {HIDDEN}."


def test_what_langchain_does_not_take_is_refused() -> None:
    for setting in ({"retry_budget": 5}, {"wait_s": 5.0}, {"cache": "answers.sqlite"}, {"patience_s": 1.0}):
        with pytest.raises(InputError, match=f"{next(iter(setting))} means nothing for LangChain; remove it"):
            resolve_model(ModelSpec.model_validate({"ref": "langchain:openai:m", **setting}), base_path())


@pytest.mark.skipif(importlib.util.find_spec("langchain") is not None, reason="langchain is installed")
def test_without_langchain_the_line_to_type_is_said() -> None:
    spec = ModelSpec(ref="anthropic:claude-sonnet-4-5")
    with pytest.raises(InputError, match=r"not installed: pip install 'holdfast\[langchain\]'"):
        open_models({spec: resolve_model(spec, base_path())})
