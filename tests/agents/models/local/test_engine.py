"""What the engine computes, keeps and drops."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from holdfast.agents.models.local.cache import CHUNK, BatchCache, CachedConversation, ConversationCache
from holdfast.agents.models.local.engine import _groups
from holdfast.agents.models.local.loading import load_backbone
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from tests.agents.models.conftest import count_tokens_read

GREEDY = Sampling(0, max_tokens=6)


@pytest.mark.parametrize(("kept", "second_turn"), [(1 << 18, 8), (0, 45)])
async def test_a_second_turn_reads_only_what_is_new(
    llama: Path, monkeypatch: pytest.MonkeyPatch, kept: int, second_turn: int
) -> None:
    model = LocalChatModel.load(llama, dtype="float64", max_cache_tokens=kept)
    read = count_tokens_read(model, monkeypatch)
    messages = (Message("user", "w5 " * 33),)
    first = await model.generate(GenerationRequest("k", messages, 1, sampling=Sampling(0, max_tokens=1)))
    assert read == [37]  # <s> <user> 33 words </s> <assistant>
    read.clear()
    messages += (Message("assistant", first.text), Message("user", "w1 w2 w3"))
    await model.generate(GenerationRequest("k", messages, 2, sampling=Sampling(0, max_tokens=1)))
    # The one generated token was never read: <reply> </s> <user> w1 w2 w3 </s> <assistant> are new.
    assert read == [second_turn]


def sampled(count: int, words: str = "w5 " * 90, start: int = 0) -> list[GenerationRequest]:
    """The same long message ``count`` times, with other seeds under other keys."""
    messages = (Message("user", words),)
    return [GenerationRequest(f"s{n}", messages, n, sampling=Sampling(1.0, max_tokens=4)) for n in range(start, count)]


async def test_samples_of_one_prompt_read_it_once(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = LocalChatModel.load(llama, dtype="float64", batch_size=8)
    read = count_tokens_read(model, monkeypatch)
    together = await asyncio.gather(*map(model.generate, sampled(6)))
    assert sum(read) < 2 * 94  # 94 tokens of the prompt, once; then one or so of each row a step
    later = await asyncio.gather(*map(model.generate, sampled(9, start=6)))  # of what idle conversations have read
    assert sum(read) < 2 * 94 + 9 * 8
    for request, answer in zip(sampled(9), [*together, *later], strict=True):
        assert await LocalChatModel.load(llama, dtype="float64").generate(request) == answer


async def test_conversations_that_begin_alike_read_the_beginning_once(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = LocalChatModel.load(llama, dtype="float64", batch_size=8)
    read = count_tokens_read(model, monkeypatch)
    beginning = "w5 w6 " * 40
    requests = [*sampled(2, beginning + "w1 w2"), *sampled(4, beginning + "w3", 2), *sampled(5, "w7 " * 80, 4)]
    answers = await asyncio.gather(*map(model.generate, requests))
    assert sum(read) < 85 + 84 + 40  # two beginnings, and the rest
    for request, answer in zip(requests, answers, strict=True):
        assert await LocalChatModel.load(llama, dtype="float64").generate(request) == answer


async def test_what_was_read_and_rewritten_since_is_not_taken(llama: Path) -> None:
    model = LocalChatModel.load(llama, dtype="float64")
    old, new = "w5 " * 90, "w5 " * 10 + "w6 " * 80
    for words in (old, new):  # one conversation, whose history is rewritten
        await model.generate(GenerationRequest("k", (Message("user", words),), 1, sampling=GREEDY))
    for words in (old, new):
        request = GenerationRequest("other", (Message("user", words),), 1, sampling=GREEDY)
        assert await model.generate(request) == await LocalChatModel.load(llama, dtype="float64").generate(request)


async def test_what_is_forgotten_takes_no_memory_and_goes_on(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = LocalChatModel.load(llama, dtype="float64")
    (request,) = sampled(1)
    answer = await model.generate(request)
    model.forget()
    assert (len(model._engine.conversations), model._engine.conversations.bytes) == (0, 0)
    read = count_tokens_read(model, monkeypatch)
    assert await model.generate(request) == answer
    assert read[0] == 94  # the whole prompt


async def test_rewritten_history_is_read_from_where_it_differs(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = LocalChatModel.load(llama, dtype="float64")
    read = count_tokens_read(model, monkeypatch)
    for words in ("w1 w2 w3 w4 w5", "w1 w2 w9 w4 w5"):
        read.clear()
        request = GenerationRequest("k", (Message("user", words),), 1, sampling=Sampling(0, max_tokens=1))
        answer = await model.generate(request)
    assert read == [5]  # w9 w4 w5 </s> <assistant>
    assert answer == await LocalChatModel.load(llama, dtype="float64").generate(request)


async def test_a_cancelled_request_leaves_and_the_loop_stays_free(llama: Path) -> None:
    backbone = replace(load_backbone(llama, dtype="float64"), stop_ids=frozenset())
    model = LocalChatModel(backbone, batch_size=2)
    long = Sampling(1.0, max_tokens=500)
    tasks = [
        asyncio.create_task(model.generate(GenerationRequest(str(n), (Message("user", "w1"),), n, sampling=long)))
        for n in range(6)
    ]
    while not model._engine.rows:
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    answer = await model.generate(GenerationRequest("x", (Message("user", "w1"),), 1, sampling=GREEDY))
    assert answer.completion_tokens == 6
    await asyncio.get_running_loop().run_in_executor(model._worker, lambda: None)
    assert not model._engine.rows
    assert model._engine._steps < 490  # uncancelled, two rows alone take 499


def test_one_model_serves_one_event_loop_after_another(llama: Path) -> None:
    model = LocalChatModel.load(llama, dtype="float64")
    request = GenerationRequest("x", (Message("user", "w1 w2"),), 1, sampling=GREEDY)
    assert asyncio.run(model.generate(request)) == asyncio.run(model.generate(request))


async def test_two_requests_of_one_conversation_at_once(llama: Path) -> None:
    model = LocalChatModel.load(llama, dtype="float64")
    requests = [GenerationRequest("x", (Message("user", f"w{n} w2"),), n, sampling=GREEDY) for n in range(4)]
    together = await asyncio.gather(*map(model.generate, requests))
    assert together == [await LocalChatModel.load(llama, dtype="float64").generate(r) for r in requests]


def test_the_cache_evicts_the_least_recently_used() -> None:
    cache = ConversationCache(max_tokens=2 * CHUNK)
    talks = {name: CachedConversation(np.arange(3), [], CHUNK) for name in "abc"}
    cache.put("a", None, talks["a"])
    cache.put("b", None, talks["b"])
    cache.put("a", None, cache.take("a", None))
    cache.put("c", None, talks["c"])
    assert len(cache.take("b", None).tokens) == 0
    assert cache.take("a", "adapter").capacity == 0
    assert cache.take("a", None) is talks["a"]
    assert cache.slots == CHUNK
    cache.put("huge", None, CachedConversation(np.arange(3), [], 3 * CHUNK))
    assert len(cache) == 0
    assert cache.slots == 0


def test_the_cache_counts_bytes_too() -> None:
    cache = ConversationCache(max_tokens=1 << 20, max_bytes=3000)
    for name in "abc":  # 2 x 1 x 4 x 16 float64 = 1,024 bytes each
        states = torch.zeros(1, 4, 16, dtype=torch.float64)
        cache.put(name, None, CachedConversation(np.arange(3), [(states, states.clone())], 4))
    assert (len(cache), cache.bytes) == (2, 2048)
    assert len(cache.take("a", None).tokens) == 0
    assert len(cache.take("c", None).tokens) == 3
    assert cache.bytes == 1024


def test_prefill_groups_cover_all_within_the_budget() -> None:
    counts = sorted([1, 1, 5, 20, 21, 30, 90, 400, 401, 5000])
    groups = list(_groups(counts, 800))
    assert [number for first, last in groups for number in range(first, last)] == list(range(len(counts)))
    for first, last in groups:
        assert last - first == 1 or counts[last - 1] * (last - first) <= 800
        assert counts[last - 1] <= 2 * counts[first] + 16
    assert list(_groups([], 800)) == []


def test_states_that_still_lie_in_a_row_are_not_copied_and_stale_ones_are() -> None:
    """A conversation leaves row 1, goes on in row 0, and comes back to row 1, which knows only its beginning."""
    cache, kept = BatchCache(layers=1, rows=2), CachedConversation()
    (layer,) = cache.layers
    layer.lazy_initialization(torch.zeros(1, 1, 1, 2), torch.zeros(1, 1, 1, 2))
    layer.keys[1, :, :3] = layer.values[1, :, :3] = 1
    cache.store(1, kept, np.arange(3), unchanged=0)
    kept.layers[0][0].fill_(9)  # would show if it were copied
    cache.restore(1, kept, 3)
    assert layer.keys[1, 0, :3].tolist() == [[1, 1]] * 3
    cache.store(1, kept, np.arange(3), unchanged=0)
    cache.restore(0, kept, 3)
    layer.keys[0, :, 3] = layer.values[0, :, 3] = 2
    cache.store(0, kept, np.arange(4), unchanged=3)
    cache.restore(1, kept, 4)
    for states in (layer.keys, layer.values):
        assert states[1, 0, :4].tolist() == [[1, 1], [1, 1], [1, 1], [2, 2]]


def test_what_a_row_holds_is_forgotten_when_another_takes_it_or_the_buffers_grow() -> None:
    cache, kept, other = BatchCache(layers=1, rows=2), CachedConversation(), CachedConversation()
    (layer,) = cache.layers
    layer.lazy_initialization(torch.zeros(1, 1, 1, 2), torch.zeros(1, 1, 1, 2))
    for intrude in (
        lambda: cache.restore(0, other, 0),
        lambda: cache.move(1, 0, 3),
        lambda: cache.reserve(cache.window.capacity, used=0),
    ):
        layer.keys[0, :, :3] = 1
        cache.store(0, kept, np.arange(3), unchanged=0)
        intrude()
        layer.keys[0, :, :3] = 5
        cache.restore(0, kept, 3)
        assert layer.keys[0, 0, :3].tolist() == [[1, 1]] * 3
