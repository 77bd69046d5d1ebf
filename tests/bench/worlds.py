"""What the benchmarks run on: a random-weight Llama of the embedded model's size, and scripted conversations."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from transformers import LlamaConfig

from holdfast.agents.models.local.loading import Backbone, load_backbone
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from tests.agents.models.conftest import build_model

WORDS = 1493
REPLY_TOKENS = 30


def micro_sized(folder: Path) -> Path:
    """Save a float64 Llama of 4 layers x 128 (1.0 M parameters) with random weights, and its tokenizer."""
    config = LlamaConfig(
        vocab_size=WORDS + 7,
        hidden_size=128,
        intermediate_size=336,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=16384,
        bos_token_id=2,
        eos_token_id=3,
        pad_token_id=0,
        tie_word_embeddings=True,
    )
    return build_model(config, folder, words=WORDS)


def endless(folder: Path, dtype: str = "float64") -> Backbone:
    """The model without a stop token, so that every reply has the length that was asked for."""
    return replace(load_backbone(folder, dtype=dtype), stop_ids=frozenset())


def user_message(conversation: int, turn: int) -> Message:
    rng = random.Random(conversation * 1009 + turn)
    return Message("user", " ".join(f"w{rng.randrange(WORDS)}" for _ in range(rng.randint(8, 20))))


def greedy_reply(key: str, messages: tuple[Message, ...], adapter: str | None = None) -> GenerationRequest:
    return GenerationRequest(key, messages, 0, adapter, Sampling(0, max_tokens=REPLY_TOKENS))


async def converse(model: LocalChatModel, number: int, turns: int, adapter: str | None = None) -> list[Message]:
    """Hold a conversation; returns its messages."""
    messages: tuple[Message, ...] = ()
    for turn in range(1, turns + 1):
        messages += (user_message(number, turn),)
        answer = await model.generate(greedy_reply(str(number), messages, adapter))
        messages += (Message("assistant", answer.text),)
    return list(messages)


async def converse_all(model: LocalChatModel, count: int, turns: int, adapters: Sequence[str | None] = (None,)) -> None:
    """Hold ``count`` conversations at once, their adapters dealt in turn."""
    await asyncio.gather(*(converse(model, n, turns, adapters[n % len(adapters)]) for n in range(count)))


@torch.inference_mode()
def generate_replies(backbone: Backbone, conversations: Sequence[tuple[Message, ...]]) -> list[str]:
    """Next replies by transformers' ``generate``: all prompts in one padded batch, computed from their start."""
    tokenizer = backbone.tokenizer
    tokenizer.padding_side = "left"
    texts = [
        tokenizer.apply_chat_template([m.as_dict() for m in messages], tokenize=False, add_generation_prompt=True)
        for messages in conversations
    ]
    inputs = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")
    output = backbone.model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        do_sample=False,
        max_new_tokens=REPLY_TOKENS,
        min_new_tokens=REPLY_TOKENS,
    )
    replies: list[str] = tokenizer.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return replies
