"""What goes wrong says what, and leaves the model usable."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BloomConfig, LlamaConfig, MambaConfig

from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.errors import InputError, ModelError
from tests.agents.models.conftest import COMMON, build_adapter, build_model, build_tokenizer

ASK = GenerationRequest("k", (Message("user", "w1 w2 w3"),), 1, sampling=Sampling(0, max_tokens=5))


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model folder .*nowhere does not exist"):
        LocalChatModel.load(tmp_path / "nowhere")


def test_not_a_model_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no config\.json"):
        LocalChatModel.load(tmp_path)


def test_no_chat_template(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    shutil.copytree(llama, folder)
    tokenizer = build_tokenizer()
    tokenizer.chat_template = None
    (folder / "chat_template.jinja").unlink()
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match="bare has no chat template"):
        LocalChatModel.load(folder)


def test_damaged_weights(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(llama, folder)
    (folder / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match=r"damaged/model\.safetensors: cannot be read as safetensors"):
        LocalChatModel.load(folder)


@pytest.mark.parametrize("device", ["cuda:77", "abacus"])
def test_no_such_device(llama: Path, device: str) -> None:
    with pytest.raises(ModelError, match=r"cannot load the model in .*(CUDA|device)"):
        LocalChatModel.load(llama, device=device)


def test_missing_weights_are_not_made_up(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "partial"
    shutil.copytree(llama, folder)
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"incomplete: model.layers.1.mlp.up_proj.weight is missing"):
        LocalChatModel.load(folder)


def test_unknown_dtype(llama: Path) -> None:
    with pytest.raises(ModelError, match="unknown dtype 'float65'; allowed: auto, float64"):
        LocalChatModel.load(llama, dtype="float65")


def test_an_architecture_without_keys_and_values(tmp_path: Path) -> None:
    config = MambaConfig(vocab_size=100, hidden_size=16, num_hidden_layers=2, state_size=4)
    with pytest.raises(ModelError, match="mamba"):
        LocalChatModel.load(build_model(config, tmp_path / "mamba"))


def test_an_architecture_that_the_engine_would_run_wrongly(tmp_path: Path) -> None:
    config = BloomConfig(vocab_size=100, hidden_size=32, n_layer=2, n_head=4)  # positions by ALiBi, from a 2-D mask
    with pytest.raises(ModelError, match=r"the local engine cannot run bloom \(.*\); serve it"):
        LocalChatModel.load(build_model(config, tmp_path / "bloom"))


def test_unknown_adapter_is_named(llama: Path, adapters: dict[str, Path]) -> None:
    model = LocalChatModel.load(llama, adapters=adapters)
    request = GenerationRequest("k", ASK.messages, 1, "wram")
    with pytest.raises(ModelError, match=r"llama has no adapter 'wram'; loaded: warm, v1.2/cool"):
        asyncio.run(model.generate(request))


@pytest.mark.parametrize("loaded_before", [False, True])
async def test_an_adapter_of_another_base_is_refused_and_forgotten(
    llama: Path, adapters: dict[str, Path], tmp_path: Path, loaded_before: bool
) -> None:
    wide = build_model(LlamaConfig(**{**COMMON, "hidden_size": 64}), tmp_path / "wide")
    deep = build_model(LlamaConfig(**{**COMMON, "num_hidden_layers": 5}), tmp_path / "deep")
    before = {"warm": adapters["warm"]} if loaded_before else {}
    model = LocalChatModel.load(llama, adapters=before, dtype="float64")
    answer = await model.generate(ASK)
    for base in (wide, deep):
        other = build_adapter(base, tmp_path / f"of-{base.name}", 1)
        with pytest.raises(ModelError, match=r"adapter 'other' in .* does not fit the base llama"):
            model.add_adapter("other", other)
    assert await model.generate(ASK) == answer
    model.add_adapter("fits", adapters["v1.2/cool"])
    assert model.adapters == (*before, "fits")
    fresh = LocalChatModel.load(llama, adapters={"fits": adapters["v1.2/cool"]}, dtype="float64")
    ask = GenerationRequest("new", ASK.messages, 1, "fits", ASK.sampling)
    assert await model.generate(ask) == await fresh.generate(ask)


def test_adapter_folders_that_are_not_adapters(llama: Path, adapters: dict[str, Path], tmp_path: Path) -> None:
    model = LocalChatModel.load(llama, adapters={"warm": adapters["warm"]})
    with pytest.raises(ModelError, match=r"adapter 'empty' in .*: holds no adapter_config.json"):
        model.add_adapter("empty", tmp_path)
    with pytest.raises(ModelError, match="there is an adapter named 'warm' already"):
        model.add_adapter("warm", adapters["warm"])
    dora = tmp_path / "dora"
    shutil.copytree(adapters["warm"], dora)
    config = json.loads((dora / "adapter_config.json").read_text())
    (dora / "adapter_config.json").write_text(json.dumps({**config, "use_dora": True}))
    with pytest.raises(ModelError, match="adapter 'dora'"):
        model.add_adapter("dora", dora)
    assert model.adapters == ("warm",)


async def test_a_conversation_longer_than_the_context(llama: Path) -> None:
    model = LocalChatModel.load(llama)
    long = GenerationRequest("talk7", (Message("user", "w1 " * 600),), 1)
    with pytest.raises(ModelError, match="conversation talk7 has 604 tokens, llama reads 512 at most"):
        await model.generate(long)
    nearly = GenerationRequest("talk8", (Message("user", "w1 " * 500),), 1, sampling=Sampling(0, max_tokens=96))
    answer = await model.generate(nearly)
    assert answer.prompt_tokens + answer.completion_tokens <= 512


async def test_memory_running_out_fails_the_requests_and_not_the_model(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = LocalChatModel.load(llama, dtype="float64", batch_size=2)
    calm = await model.generate(ASK)

    def out_of_memory(first: int, last: int) -> None:
        raise torch.OutOfMemoryError

    with monkeypatch.context() as patch:
        patch.setattr(model._engine, "_advance", out_of_memory)
        results = await asyncio.gather(*(model.generate(ASK) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, ModelError) and "out of memory" in str(result) for result in results)
    assert await model.generate(ASK) == calm
