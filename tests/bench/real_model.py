"""The engine on SmolLM2 in float32 beside other ways to hold the same conversations, and beside the machine's limit.

Time on the clock with all cores, so on a quiet machine only. A reply takes 64 tokens at most; where a model ends one
earlier, what it wrote is counted. The limit of a token is the longer of reading every weight once and multiplying it at
the rate of a large matrix product, both timed here.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Collection
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from holdfast.agents.models.local import engine
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.models.packaged import PACKAGED
from holdfast.agents.models.references import LocalReference
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.simulator.runtime.executor import LocalExecutor
from tests.bench import llama_cpp_engine
from tests.bench.measure import Measure, Spent, timed

ROWS, TURNS, TOKENS = 24, 6, 64  # conversations, turns of each (see ``--rows`` and ``--turns``), tokens of a reply
BESIDE = ("limit", "loop", "generate", "langchain", "llama.cpp", "samples")  # what the engine is held against
UNIT = "ms a token"
LINES = (
    "I feel tense about the budget, and nobody answers my messages about it.",
    "What should I say to the bank tomorrow about the budget?",
)


def said(row: int, turn: int) -> str:
    return f"{LINES[turn % 2]} It is matter {row % 10}."


def ours(folder: Path, rows: int, turns: int, processes: int) -> Spent:
    """The engine, as a study holds its conversations."""
    model = LocalExecutor(processes).load(LocalReference("smollm2", folder, "float32"), rows)

    async def talk(row: int) -> int:
        messages, tokens = (Message("user", said(row, 0)),), 0
        for turn in range(turns):
            request = GenerationRequest(str(row), messages, turn, sampling=Sampling(0, max_tokens=TOKENS))
            made = await model.generate(request)
            tokens += made.completion_tokens
            messages += (Message("assistant", made.text), Message("user", said(row, turn + 1)))
        return tokens

    async def all_of_them() -> int:
        return sum(await asyncio.gather(*(talk(row) for row in range(rows))))

    return timed(lambda: asyncio.run(all_of_them()))


def generate(model: Any, tokenizer: Any, rows: int, turns: int) -> Spent:
    """Transformers' ``generate``: one padded batch a turn, read from its start."""
    tokenizer.padding_side, tokenizer.pad_token = "left", tokenizer.eos_token

    def work() -> int:
        talks = [[{"role": "user", "content": said(row, 0)}] for row in range(rows)]
        tokens = 0
        for turn in range(turns):
            texts = [tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True) for talk in talks]
            inputs = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")
            made = model.generate(**inputs, do_sample=False, max_new_tokens=TOKENS)[:, inputs["input_ids"].shape[1] :]
            tokens += int((made != tokenizer.eos_token_id).sum())
            for row, (talk, ids) in enumerate(zip(talks, made, strict=True)):
                talk.append({"role": "assistant", "content": tokenizer.decode(ids, skip_special_tokens=True)})
                talk.append({"role": "user", "content": said(row, turn + 1)})
        return tokens

    return timed(work)


@torch.inference_mode()
def cached_loop(model: Any, tokenizer: Any, rows: int, turns: int) -> Spent:
    """A loop that keeps its cache over turns: rows of one length, 64 tokens each, nothing that ends early."""

    def work() -> int:
        cache = DynamicCache(config=model.config)
        for turn in range(turns):
            talk = [{"role": "user", "content": said(0, turn)}]
            shape: dict[str, Any] = {"add_generation_prompt": True, "return_tensors": "pt", "return_dict": True}
            ids = tokenizer.apply_chat_template(talk, **shape)["input_ids"].expand(rows, -1)
            for _ in range(TOKENS):
                out = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
                ids = out.logits[:, -1:].argmax(-1)
        return rows * turns * TOKENS

    return timed(work)


def langchain(folder: Path, turns: int) -> Spent:
    """LangChain's pipeline chat model, one conversation: it holds one after the other."""
    from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
    from langchain_huggingface import ChatHuggingFace, HuggingFacePipeline

    pipeline = HuggingFacePipeline.from_model_id(
        str(folder),
        task="text-generation",
        model_kwargs={"dtype": torch.float32},
        pipeline_kwargs={"max_new_tokens": TOKENS, "do_sample": False, "return_full_text": False},
    )
    model, tokenizer = ChatHuggingFace(llm=pipeline, model_id=str(folder)), pipeline.pipeline.tokenizer

    def work() -> int:
        messages: list[BaseMessage] = []
        tokens = 0
        for turn in range(turns):
            messages.append(HumanMessage(said(0, turn)))
            answer = str(model.invoke(messages).content)
            tokens += len(tokenizer(answer, add_special_tokens=False)["input_ids"])
            messages.append(AIMessage(answer))
        return tokens

    return timed(work)


def samples(folder: Path, *, shared: bool) -> Spent:
    """Six replies to each of four conversations under one prompt with examples, as training dialogues are drafted."""
    reading = nullcontext() if shared else patch.object(engine, "share_beginnings", lambda *_: None)
    model = LocalChatModel.load(folder, dtype="float32", batch_size=ROWS)
    exchanges = ((Message("user", said(turn, turn)), Message("assistant", said(turn, turn + 1))) for turn in range(6))
    before = tuple(message for exchange in exchanges for message in exchange)

    async def draw() -> int:
        requests = [
            GenerationRequest(
                f"{talk}/{sample}",
                (*before, Message("user", said(talk, 0))),
                sample,
                sampling=Sampling(0.7, max_tokens=TOKENS // 2),
            )
            for talk in range(4)
            for sample in range(6)
        ]
        return sum(made.completion_tokens for made in await asyncio.gather(*map(model.generate, requests)))

    with reading:
        return timed(lambda: asyncio.run(draw()))


@torch.inference_mode()
def limit_ms(model: Any, rows: int) -> float:
    """Milliseconds a token that this machine cannot go below at ``rows`` rows; see above."""
    weights = [module.weight for module in model.modules() if isinstance(module, torch.nn.Linear)]
    numbers = sum(weight.numel() for weight in weights)
    reading = min(timed(lambda: len([weight.sum() for weight in weights])).seconds for _ in range(5))
    side = 2048
    square = torch.randn(side, side)
    product = min(timed(lambda: (square @ square).shape[0]).seconds for _ in range(5))
    multiplying = 2 * numbers * rows / (2 * side**3 / product)
    return 1000 * max(reading, multiplying) / rows


def measures(scratch: Path, rows: int = ROWS, turns: int = TURNS, beside: Collection[str] = BESIDE) -> list[Measure]:
    """Nothing where SmolLM2 was not fetched (``holdfast models fetch smollm2``). ``beside``: words of ``BESIDE``."""
    packaged = PACKAGED["smollm2"]
    if not packaged.ready:
        return []
    before = torch.get_num_threads()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    torch.set_num_threads(cores)
    folder = packaged.folder
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    many, alone = ours(folder, rows, turns, cores), ours(folder, 1, turns, 1)
    told, told_alone = f"SmolLM2, {rows} conversations x {turns} turns", "SmolLM2, one conversation"
    found = []

    def add(what: str, spent: Spent, other: str, takes: float, goal: str = "") -> None:
        found.append(Measure(what, spent.ms, other, takes, UNIT, f"ratio at least {goal}" if goal else ""))

    if "limit" in beside:
        add(told, many, "the machine's limit", limit_ms(model, rows), ".5")
        add(told_alone, alone, "the machine's limit", limit_ms(model, 1), ".9")
    if "loop" in beside:
        add(told, many, "a plain cached loop", cached_loop(model, tokenizer, rows, turns).ms, "1")
    if "generate" in beside:
        add(told, many, "generate, whole history", generate(model, tokenizer, rows, turns).ms, "3")
    if "langchain" in beside and importlib.util.find_spec("langchain_huggingface") is not None:
        add(told, many, "LangChain's pipeline model", langchain(folder, turns).ms, "10")
    if "llama.cpp" in beside and importlib.util.find_spec("llama_cpp") is not None:
        quantised = llama_cpp_engine.four_bits(scratch)
        for weights, file in (("4 bits", quantised), ("float32", llama_cpp_engine.float32(quantised))):
            spent = llama_cpp_engine.talk(file, said, turns, TOKENS)
            add(told_alone, alone, f"llama.cpp, {weights}", spent.ms)
    if "samples" in beside:
        together, apart = samples(folder, shared=True), samples(folder, shared=False)
        add("SmolLM2, 4 x 6 samples of a reply", together, "each reads alone", apart.ms)
    torch.set_num_threads(before)
    return found
