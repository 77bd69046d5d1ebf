"""Positions of a conversation depend neither on its neighbours nor on what was cached, or the model is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Gemma3TextConfig, LlamaConfig, Phi3Config, PhimoeConfig, PreTrainedConfig
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.models.local.rope import check_positions, longest_context
from holdfast.agents.protocols import Generation, GenerationRequest, Message, Sampling
from holdfast.core.errors import ModelError
from tests.agents.models.conftest import COMMON, build_model

ORIGINAL = 64
GREEDY = Sampling(temperature=0, max_tokens=9)
LONG = {"rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0] * 4, "long_factor": [4.0] * 4}
LONG |= {"original_max_position_embeddings": ORIGINAL, "factor": 8.0}
DYNAMIC = {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 4.0}
STATIC = {
    "linear": {"factor": 4.0},
    "yarn": {"factor": 4.0, "original_max_position_embeddings": ORIGINAL},
    "llama3": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64},
}


def config(kind: str) -> PreTrainedConfig:
    if kind == "phi3":
        return Phi3Config(**COMMON, original_max_position_embeddings=ORIGINAL, rope_parameters=dict(LONG))
    if kind == "llama longrope":
        return LlamaConfig(**COMMON, rope_parameters=dict(LONG))
    if kind == "dynamic":
        return LlamaConfig(**{**COMMON, "max_position_embeddings": ORIGINAL}, rope_parameters=dict(DYNAMIC))
    if kind == "gemma3":
        local = {"rope_type": "default", "rope_theta": 1e4}
        heads = {"head_dim": 8, "sliding_window": 512}
        layers = {"full_attention": dict(LONG), "sliding_attention": local}
        return Gemma3TextConfig(**COMMON, **heads, rope_parameters=layers)
    return LlamaConfig(**COMMON, rope_parameters={"rope_type": kind, "rope_theta": 1e4, **STATIC[kind]})


def ask(key: str, messages: tuple[Message, ...]) -> GenerationRequest:
    return GenerationRequest(key, messages, 1, sampling=GREEDY)


def says(text: str) -> tuple[Message, ...]:
    return (Message("user", text),)


@pytest.mark.parametrize("kind", ["phi3", "llama longrope", "dynamic", "gemma3", *STATIC])
async def test_words_do_not_depend_on_the_batch_nor_on_the_cache(kind: str, tmp_path: Path) -> None:
    folder = build_model(config(kind), tmp_path / "model")
    room = ORIGINAL if kind not in STATIC else COMMON["max_position_embeddings"]
    longest = " ".join(f"w{n % 90}" for n in range(room - 14))  # with its reply it fills the context

    def fresh() -> LocalChatModel:
        return LocalChatModel.load(folder, dtype="float64", batch_size=4)

    alone = await fresh().generate(ask("a", says("w1 w2")))
    model = fresh()
    beside: list[Generation] = await asyncio.gather(
        *(model.generate(ask(key, says(text))) for key, text in (("a", "w1 w2"), ("b", longest)))
    )
    assert beside[0] == alone
    assert beside[1].prompt_tokens + beside[1].completion_tokens <= room
    talk = (*says("w1 w2"), Message("assistant", alone.text), *says(" ".join(["w3"] * 12)))
    assert await model.generate(ask("a", talk)) == await fresh().generate(ask("a", talk))


@pytest.mark.parametrize("kind", ["phi3", "llama longrope"])
async def test_a_conversation_beyond_the_original_context_is_refused_with_the_cause(kind: str, tmp_path: Path) -> None:
    model = LocalChatModel.load(build_model(config(kind), tmp_path / "model"))
    with pytest.raises(ModelError, match=r"reads 64 at most; beyond 64 its LongRoPE factors change, .* an endpoint"):
        await model.generate(ask("a", says("w1 " * 80)))


def test_other_models_keep_their_context() -> None:
    assert longest_context(config("yarn")) == (512, "")
    assert longest_context(config("dynamic")) == (64, "")
    assert longest_context(Phi3Config(**{**COMMON, "max_position_embeddings": 48}, rope_parameters=dict(LONG))) == (
        48,
        "",
    )


def test_a_scale_that_switches_is_seen_where_the_factors_do_not() -> None:
    """Phi-MoE takes another scale beyond the original context; it does not run in float64, so only its positions do."""
    scales = {"short_mscale": 1.1, "long_mscale": 1.3}
    settings = PhimoeConfig(**COMMON, rope_parameters={**LONG, **scales}, num_local_experts=2)
    model = AutoModelForCausalLM.from_config(settings)
    assert longest_context(settings)[0] == ORIGINAL
    check_positions(model, ORIGINAL, "m")
    with pytest.raises(ModelError, match=r"m scales its positions by the longest .*'longrope'"):
        check_positions(model, ORIGINAL + 1, "m")


def test_a_kind_that_nobody_knows_is_seen_by_what_it_does() -> None:
    """Here from the half of the context on: no short text would show it."""

    class Switching(torch.nn.Module):
        rope_type = "someday"

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("inv_freq", torch.ones(4))

        def forward(self, x: torch.Tensor, position_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            scale = 2.0 if position_ids.max() > 300 else 1.0
            angles = position_ids[..., None] * self.inv_freq * scale
            return angles.cos(), angles.sin()

    model: Any = torch.nn.Sequential(Switching())
    check_positions(model, 256, "m")
    with pytest.raises(ModelError, match=r"m scales its positions .*'someday'.*behind an endpoint"):
        check_positions(model, 512, "m")
