"""Tiny models with random weights, a word-level tokenizer and a chat template, all made here."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    Gemma2Config,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from holdfast.agents.models.local.model import LocalChatModel

TEMPLATE = (
    "{{ '<s>' }}{% for m in messages %}<{{ m['role'] }}> {{ m['content'] }} </s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
SPECIAL = ["<pad>", "<unk>", "<s>", "</s>", "<system>", "<user>", "<assistant>"]


def build_tokenizer(words: int = 93) -> PreTrainedTokenizerFast:
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *(f"w{n}" for n in range(words))])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        extra_special_tokens=SPECIAL[4:],
    )
    wrapped.chat_template = TEMPLATE
    return wrapped


COMMON = {
    "vocab_size": 100,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "pad_token_id": 0,
}
CONFIGS: dict[str, PreTrainedConfig] = {
    "llama": LlamaConfig(**COMMON),
    "qwen2": Qwen2Config(**COMMON),
    "qwen3": Qwen3Config(**COMMON, head_dim=16),
    "gpt2": GPT2Config(
        vocab_size=100, n_embd=32, n_layer=3, n_head=4, n_positions=512, bos_token_id=2, eos_token_id=3, pad_token_id=0
    ),
    "mistral": MistralConfig(**COMMON, sliding_window=12),
    "mixed": Qwen2Config(**COMMON, use_sliding_window=True, sliding_window=12, max_window_layers=1),
    "gemma2": Gemma2Config(**COMMON, head_dim=16, sliding_window=12),  # soft-capped scores and logits
    "gemma3": Gemma3TextConfig(**COMMON, head_dim=16, sliding_window=12),
}


def build_model(config: PreTrainedConfig, path: Path, words: int = 93, seed: int = 1) -> Path:
    """Save a float64 model whose random weights are large enough to make it opinionated, and its tokenizer."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float64)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 2:
                weight.normal_(0, 0.6 if "embed" in name or "wte" in name else 0.25)
    model.save_pretrained(path)
    build_tokenizer(words).save_pretrained(path)
    return path


def build_adapter(base: Path, path: Path, seed: int, rank: int = 4, targets: str | list[str] = "all-linear") -> Path:
    """Save a LoRA folder with random (not zero) weights for the model in ``base``."""
    torch.manual_seed(seed)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets, task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.normal_(0, 0.2)
    model.save_pretrained(path)
    return path


def count_tokens_read(model: LocalChatModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that receives the number of new tokens per row of every forward pass."""
    read: list[int] = []
    advance = model._engine._advance

    def counting(first: int, last: int) -> None:
        read.extend(len(row.pending) for row in model._engine.rows[first:last])
        advance(first, last)

    monkeypatch.setattr(model._engine, "_advance", counting)
    return read


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {name: build_model(config, root / name) for name, config in CONFIGS.items()}


@pytest.fixture(scope="session")
def llama(models_folder: dict[str, Path]) -> Path:
    return models_folder["llama"]


@pytest.fixture(scope="session")
def adapters(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("adapters")
    return {
        "warm": build_adapter(llama, root / "warm", 11),
        "v1.2/cool": build_adapter(llama, root / "cool", 12, rank=2, targets=["q_proj", "down_proj"]),
    }
