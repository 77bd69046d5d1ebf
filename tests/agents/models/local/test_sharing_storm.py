"""Whoever read the beginning of a prompt before, a request gets the tokens that a fresh engine gives it alone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from holdfast.agents.models.local.cache import CachedConversation, ConversationCache
from holdfast.agents.models.local.engine import Engine
from holdfast.agents.models.local.loading import Backbone, load_backbone
from holdfast.agents.models.local.lora import AdapterBank
from holdfast.agents.models.local.prefixes import block_digests
from holdfast.agents.models.local.rows import Job, Row, share_beginnings
from holdfast.agents.protocols import GenerationRequest, Sampling
from tests.agents.models.conftest import build_adapter

LONGEST = 230  # tokens of a prompt
BAD = 99  # a token that no model here has finite numbers for
OTHERS = 10  # tokens below are special


class Storm:
    """Prompts that begin as earlier ones do, for random lengths, under random keys and adapters, in random batches."""

    def __init__(self, backbone: Backbone, bank: AdapterBank, random: Random) -> None:
        self.backbone, self.bank, self.random = backbone, bank, random
        self.engine = Engine(
            backbone, bank, batch_size=random.randint(1, 8), cache=ConversationCache(random.choice((0, 1500, 1 << 20)))
        )
        self.prompts: list[list[int]] = [[]]
        self.jobs: list[Job] = []
        self.got: dict[Job, object] = {}
        self.cancelled: set[Job] = set()
        self.read = 0
        advance = self.engine._advance

        def counting(first: int, last: int) -> None:
            self.read += sum(len(row.pending) for row in self.engine.rows[first:last])
            advance(first, last)

        self.engine._advance = counting  # type: ignore[method-assign]

    @torch.inference_mode()
    def blow(self, requests: int) -> None:
        waiting: list[Job] = []
        while requests or waiting or self.engine.rows:
            for _ in range(min(requests, self.random.choice((0, 1, 5)))):
                requests -= 1
                waiting.append(self.job())
            if joining := [waiting.pop(0) for _ in range(min(self.engine.free_rows, len(waiting)))]:
                self.engine.admit(joining)
            if self.engine.rows:
                self.engine.step()
            if self.engine.rows and self.random.random() < 0.05:
                self.cancelled.add(self.random.choice(self.engine.rows).job)
            if self.random.random() < 0.01:
                self.engine.abandon(MemoryError())

    def job(self) -> Job:
        random = self.random
        begun = random.choice(self.prompts)
        begun = begun[: random.choice((len(begun), random.randint(0, len(begun))))]
        new = [random.randrange(OTHERS, BAD) for _ in range(random.choice((1, 3, 40, 100)))]
        if random.random() < 0.06:
            new[random.randrange(len(new))] = BAD
        self.prompts.append(prompt := [*begun, *new][:LONGEST])
        sampling = Sampling(random.choice((0.0, 1.0)), random.choice((0.8, 1.0)))
        adapter = random.choice((None, None, *self.bank.names))
        request = GenerationRequest(f"k{random.randrange(12)}", (), random.randrange(99), adapter, sampling)
        limit = random.choice((1, 2, 6, 12))
        job = Job(
            request, np.array(prompt), limit, lambda answer: self.got.update({job: answer}), lambda: self.is_off(job)
        )
        self.jobs.append(job)
        return job

    def is_off(self, job: Job) -> bool:
        return job in self.cancelled

    @torch.inference_mode()
    def alone(self, job: Job) -> object:
        got: list[object] = []
        fresh = Engine(self.backbone, self.bank, batch_size=1, cache=ConversationCache(0))
        fresh.admit([replace(job, deliver=got.append, cancelled=lambda: False)])
        while fresh.rows:
            fresh.step()
        return got[0]


def with_a_bad_word(model: Path, copy: Path) -> Path:
    shutil.copytree(model, copy)
    weights = load_file(copy / "model.safetensors")
    weights[next(name for name in weights if "embed_tokens" in name or "wte" in name)][BAD] = torch.nan
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    return copy


def same(got: object, true: object) -> bool:
    return str(got) == str(true) if isinstance(true, BaseException) else got == true


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, "float64") for name in ("llama", "gpt2", "mistral", "mixed", "gemma2", "gemma3")]
    + [(name, "float32") for name in ("llama", "mistral", "gemma3")],
)
def test_no_beginning_that_is_copied_changes_an_answer(
    models_folder: dict[str, Path], name: str, dtype: str, tmp_path: Path
) -> None:
    folder = with_a_bad_word(models_folder[name], tmp_path / "m")
    backbone = load_backbone(folder, dtype=dtype, reproducible=dtype == "float32")
    bank = AdapterBank(backbone.model, name)
    for seed in () if name == "gpt2" else (1, 2):  # GPT-2's layers are not linear ones
        bank.add(str(seed), build_adapter(models_folder[name], tmp_path / str(seed), seed))
    for seed in range(1):
        storm = Storm(backbone, bank, Random(f"{name} {seed}"))
        storm.blow(requests=25)
        answered = [job for job in storm.jobs if job in storm.got and not isinstance(storm.got[job], MemoryError)]
        assert len(answered) > 15
        for job in answered:
            assert same(storm.got[job], storm.alone(job))
        assert not storm.engine._reading


@pytest.fixture
def idle(llama: Path) -> Engine:
    backbone = load_backbone(llama, dtype="float64")
    return Engine(backbone, AdapterBank(backbone.model, "llama"), batch_size=8, cache=ConversationCache(1 << 20))


def job_of(prompt: list[int], key: str, got: dict[str, object]) -> Job:
    request = GenerationRequest(key, (), 1, sampling=Sampling(0.0))
    return Job(request, np.array(prompt), 2, lambda answer: got.update({key: answer}), lambda: False)


@torch.inference_mode()
def hold(engine: Engine, *jobs: Job) -> None:
    engine.admit(jobs)
    while engine.rows:
        engine.step()


def test_who_begins_as_a_prompt_that_fails_does_not_fail(llama: Path, tmp_path: Path) -> None:
    backbone = load_backbone(with_a_bad_word(llama, tmp_path / "m"), dtype="float64")
    got: dict[str, object] = {}
    begun = [20 + n % 50 for n in range(90)]
    bad, good, third = (job_of([*begun, *end], f"{end}", got) for end in ([BAD, 11], [12], [12, 13]))
    engine = Engine(backbone, AdapterBank(backbone.model, "m"), batch_size=8, cache=ConversationCache(1 << 20))
    hold(engine, bad, good, third)
    assert "no finite number" in str(got.pop("[99, 11]"))
    together = dict(got)
    for job in (good, third):
        hold(Engine(backbone, engine.bank, batch_size=1, cache=ConversationCache(0)), job)
    assert got == together
    assert len(got) == 2


def test_of_two_beginnings_the_longer_is_taken(idle: Engine) -> None:
    got: dict[str, object] = {}
    begun = [20 + n % 50 for n in range(150)]
    hold(idle, job_of(begun, "idle", got))
    going = Row(
        job_of([*begun[:40], *range(20, 80)], "going", got), CachedConversation(), 0, 0, np.zeros(9), np.zeros(2)
    )
    reading: dict[bytes, Row] = {}
    share_beginnings([going], reading, ConversationCache(0))
    going.wave = -1
    joins = [idle._open(job_of([*begun, *end], f"{end}", got)) for end in ([1], [2, 3])]
    share_beginnings(joins, reading, idle.conversations)
    assert [row.length for row in joins] == [150, 150]
    assert [row.wave for row in joins] == [0, 0]  # neither waits for the other to read what is there


def test_rewritten_conversations_leave_nothing_behind(idle: Engine) -> None:
    got: dict[str, object] = {}
    for turn in range(5):
        hold(idle, job_of([20 + turn] * 100, "k", got))
    assert len(idle.conversations._by_prefix) == 3
    assert not idle._reading
    assert idle.conversations.beginning_with(block_digests(np.array([20] * 100), None)[0]) is None
