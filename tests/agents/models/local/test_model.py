"""The local engine says what ``model.generate`` says, whatever shares the batch and whatever was cached."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from holdfast.agents.models.local.loading import load_backbone
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import Generation, GenerationRequest, Message, Sampling

GREEDY = Sampling(temperature=0, max_tokens=9)
WARM = Sampling(temperature=1.1, top_p=0.9, max_tokens=9)


def words(seed: int, count: int) -> str:
    return " ".join(f"w{random.Random(seed * 1000 + n).randrange(93)}" for n in range(count))


def opening(number: int) -> tuple[Message, ...]:
    """A system prompt of varying length, or none, and a first user message."""
    system = (Message("system", words(number, 5 * (number % 4))),) if number % 4 else ()
    return (*system, Message("user", words(100 + number, 3 + number % 5)))


async def converse(
    model: LocalChatModel, number: int, turns: int, sampling: Sampling, adapter: str | None = None
) -> list[str]:
    messages = opening(number)
    replies = []
    for turn in range(turns):
        request = GenerationRequest(f"c{number}", messages, seed=number * 97 + turn, adapter=adapter, sampling=sampling)
        reply = (await model.generate(request)).text
        replies.append(reply)
        messages += (Message("assistant", reply), Message("user", words(number * 31 + turn, 2 + (number + turn) % 6)))
    return replies


async def all_of(model: LocalChatModel, numbers: list[int], turns: int, sampling: Sampling) -> dict[int, list[str]]:
    adapters = [None, *model.adapters]
    talks = [converse(model, n, turns, sampling, adapters[n % len(adapters)]) for n in numbers]
    return dict(zip(numbers, await asyncio.gather(*talks), strict=True))


def plain(path: Path, messages: tuple[Message, ...], adapter: Path | None = None, **settings: Any) -> list[int]:
    """What transformers' own ``generate`` continues with."""
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float64).eval()
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter).to(torch.float64).eval()
    text = tokenizer.apply_chat_template([m.as_dict() for m in messages], tokenize=False, add_generation_prompt=True)
    prompt = tokenizer(text, add_special_tokens=False, return_tensors="pt")
    output = model.generate(**prompt, do_sample=False, **settings)
    return output[0, prompt["input_ids"].shape[1] :].tolist()


@pytest.mark.parametrize("name", ["llama", "qwen2", "qwen3", "gpt2", "mistral", "mixed", "gemma2", "gemma3"])
async def test_greedy_equals_generate_over_turns(models_folder: dict[str, Path], name: str) -> None:
    path = models_folder[name]
    model = LocalChatModel.load(path, dtype="float64", batch_size=4)
    tokenizer = AutoTokenizer.from_pretrained(path)
    talks = await asyncio.gather(*(converse(model, n, 4, GREEDY) for n in range(6)))
    lengths = set()
    for number, replies in enumerate(talks):
        messages = opening(number)
        for turn, reply in enumerate(replies):
            expected = plain(path, messages, max_new_tokens=GREEDY.max_tokens)
            assert reply == tokenizer.decode(expected, skip_special_tokens=True).strip()
            lengths.add(len(expected))
            messages += (
                Message("assistant", reply),
                Message("user", words(number * 31 + turn, 2 + (number + turn) % 6)),
            )
    assert max(lengths) == GREEDY.max_tokens


@pytest.mark.parametrize("name", ["llama", "gpt2", "mistral"])
async def test_batch_order_and_eviction_do_not_change_samples(models_folder: dict[str, Path], name: str) -> None:
    path = models_folder[name]
    numbers = list(range(20))
    shuffled = random.Random(3).sample(numbers, len(numbers))
    reference = await all_of(LocalChatModel.load(path, dtype="float64", batch_size=1), numbers, 4, WARM)
    assert len({reply for replies in reference.values() for reply in replies}) > 40
    for batch_size, order, kept in (
        (3, shuffled, 1 << 18),
        (32, numbers, 1 << 18),
        (7, shuffled, 0),
        (5, numbers, 900),
    ):
        model = LocalChatModel.load(path, dtype="float64", batch_size=batch_size, max_cache_tokens=kept)
        assert await all_of(model, order, 4, WARM) == reference


async def test_adapters_and_base_share_a_batch(llama: Path, adapters: dict[str, Path]) -> None:
    model = LocalChatModel.load(llama, adapters=adapters, dtype="float64", batch_size=32)
    tokenizer = AutoTokenizer.from_pretrained(llama)
    talks = await all_of(model, list(range(9)), 1, GREEDY)
    folders = [None, *adapters.values()]
    answers = set()
    for number, (reply,) in talks.items():
        expected = plain(llama, opening(number), folders[number % 3], max_new_tokens=GREEDY.max_tokens)
        assert reply == tokenizer.decode(expected, skip_special_tokens=True).strip()
        answers.add(reply)
    assert len(answers) == 9


async def test_switching_the_adapter_uses_its_own_states(llama: Path, adapters: dict[str, Path]) -> None:
    model = LocalChatModel.load(llama, adapters=adapters, dtype="float64")
    messages = opening(3)
    for adapter in (None, "warm", "v1.2/cool", "warm", None):
        request = GenerationRequest("one", messages, 5, adapter, GREEDY)
        fresh = LocalChatModel.load(llama, adapters=adapters, dtype="float64")
        reply = await model.generate(request)
        assert reply == await fresh.generate(request)
        messages += (Message("assistant", reply.text), Message("user", words(len(messages), 4)))


async def test_stop_and_length(llama: Path) -> None:
    model = LocalChatModel.load(llama, dtype="float64")
    reasons = set()
    for seed in range(60):
        sampling = Sampling(temperature=2.0, max_tokens=30)
        answer = await model.generate(GenerationRequest("k", opening(1), seed, sampling=sampling))
        assert isinstance(answer, Generation)
        assert answer.completion_tokens <= 30
        assert (answer.finish_reason == "length") == (answer.completion_tokens == 30) or answer.completion_tokens == 30
        assert "</s>" not in answer.text
        reasons.add(answer.finish_reason)
    assert reasons == {"stop", "length"}


def test_auto_is_the_gpu_where_there_is_one(llama: Path) -> None:
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert load_backbone(llama, device="auto").device.type == best


@pytest.mark.parametrize(("dtype", "stride"), [("float32", (1, 96)), ("float64", (32, 1))])
def test_weights_that_do_not_narrow_lie_by_columns_in_float32(llama: Path, dtype: str, stride: tuple[int, int]) -> None:
    """From 32 numbers to 2 x 48 and back: the second, and what predicts tokens, stay as they are in any type."""
    model = load_backbone(llama, dtype=dtype).model
    mlp, head = model.model.layers[0].mlp, model.get_output_embeddings()
    assert mlp.up_proj.weight.stride() == stride
    assert mlp.down_proj.weight.is_contiguous()
    assert head.weight.is_contiguous()
    for name, weight in AutoModelForCausalLM.from_pretrained(llama, dtype=model.dtype).state_dict().items():
        assert torch.equal(model.get_parameter(name), weight)
