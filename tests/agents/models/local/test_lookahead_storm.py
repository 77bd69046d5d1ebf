"""Whatever happens around it, a request gets the tokens that it gets alone, with nothing kept and nothing guessed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from holdfast.agents.models.local.cache import ConversationCache
from holdfast.agents.models.local.engine import Engine
from holdfast.agents.models.local.loading import Backbone, load_backbone
from holdfast.agents.models.local.lookahead import MOST_GUESSES, Lookahead
from holdfast.agents.models.local.lora import AdapterBank
from holdfast.agents.models.local.rows import Job, Row
from holdfast.agents.protocols import GenerationRequest, Sampling
from tests.agents.models.conftest import build_adapter

CONTEXT = 60  # tokens; several conversations of a storm reach it
SEED = 1  # of storms in which all of this happens
STOPS = frozenset({3, *range(10, 22)})


class Storm:
    """Six conversations over one engine, and what happens to them, drawn from ``random``: adapters change from turn to
    turn, histories are rewritten or lose their beginning, requests are withdrawn, one conversation is asked twice at
    once, the batch is abandoned, states are evicted, replies end at a stop, at their limit or at the context's end.

    Most guesses are true: they are told by what each request got alone.
    """

    def __init__(self, backbone: Backbone, bank: AdapterBank, random: Random) -> None:
        self.alone = Engine(backbone, bank, batch_size=1, cache=ConversationCache(0))
        self.alone._ahead = Lookahead(0)  # guesses nothing
        self.engine = Engine(
            backbone, bank, batch_size=random.choice((3, 8)), cache=ConversationCache(random.choice((600, 4000)))
        )
        self.look_up, self.rest = self.engine._guesses, self.engine._store
        self.engine._guesses, self.engine._store = self.guesses, self.note  # type: ignore[method-assign]
        self.random = random
        self.said: dict[str, list[int]] = {}  # the tokens of each conversation
        self.true: dict[Job, list[int]] = {}
        self.got: dict[Job, list[int]] = {}
        self.cancelled: set[Job] = set()
        self.passes = 0

    @torch.inference_mode()
    def blow(self, requests: int) -> None:
        waiting: list[Job] = []
        while requests or waiting or self.engine.rows:
            if requests and self.random.random() < 0.6:
                requests -= 1
                waiting.append(self.job(requests))
            joining = [waiting.pop(0) for _ in range(min(self.engine.free_rows, len(waiting)))]
            if joining:
                self.engine.admit(joining)
            if self.engine.rows:
                self.passes += len(self.engine.rows)
                self.engine.step()
            if self.engine.rows and self.random.random() < 0.06:
                self.cancelled.add(self.random.choice(self.engine.rows).job)
            if self.random.random() < 0.01:
                self.engine.abandon(MemoryError())

    def job(self, number: int) -> Job:
        """The next request of one conversation, after it was answered alone."""
        random, key = self.random, f"c{self.random.randrange(6)}"
        adapter = random.choice((None, *self.engine.bank.names))
        sampling = Sampling(random.choice((0.0, 0.2, 1.0)), random.choice((0.8, 1.0)))
        request = GenerationRequest(key, (), number, adapter, sampling)
        prompt = np.array(self.prompt(key))
        limit = min(random.choice((1, 2, 9, 24, CONTEXT)), CONTEXT - len(prompt))
        job = Job(request, prompt, limit, lambda _: None, lambda: job in self.cancelled)
        self.true[job] = tokens_of(self.alone, job)
        self.said[key] = [*prompt.tolist(), *self.true[job][:-1]]
        return job

    def prompt(self, key: str) -> list[int]:
        """What was said, perhaps rewritten, and more."""
        said, random = self.said.setdefault(key, []), self.random
        if said and random.random() < 0.1:
            del said[random.randrange(len(said)) :]
        if said and random.random() < 0.1:
            said[random.randrange(len(said))] = random.randrange(100)
        if random.random() < 0.1:
            del said[: len(said) // 2]
        said += [random.randrange(100) for _ in range(random.choice((1, 4, 20)))]
        del said[: len(said) - CONTEXT + random.choice((1, 2, 12))]
        return said

    def guesses(self, row: Row, most: int) -> list[int]:
        """Looked up, or told: true ones, and then perhaps a false one and more."""
        if self.random.random() < 0.3:
            return self.look_up(row, self.random.randrange(MOST_GUESSES + 1))
        most = min(self.random.randrange(MOST_GUESSES + 1), row.job.limit - len(row.written) - 1)
        told = self.true[row.job][len(row.written) : len(row.written) + most]
        if told and self.random.random() < 0.5:
            told[self.random.randrange(len(told))] = self.random.randrange(100)
        return told + [self.random.randrange(100)] * (most - len(told))  # after a stop too

    def note(self, number: int, row: Row) -> None:
        self.got[row.job] = list(row.written)
        self.rest(number, row)


def tokens_of(engine: Engine, job: Job) -> list[int]:
    """What an engine without other rows writes."""
    row = engine._open(job)
    engine.rows.append(row)
    engine._cache.reserve(len(job.prompt) + job.limit, 0)
    engine._advance(0, 1)
    while row.written[-1] not in STOPS and len(row.written) < job.limit:
        engine._advance(0, 1)
    engine.rows.clear()
    return row.written


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads of torch wait for each other in such short passes, for minutes where the machine is busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", ["llama", "gpt2", "mistral", "mixed", "gemma3"])
def test_no_storm_changes_a_token(models_folder: dict[str, Path], name: str, tmp_path: Path) -> None:
    backbone = replace(load_backbone(models_folder[name], dtype="float64"), stop_ids=STOPS, context=CONTEXT)
    bank = AdapterBank(backbone.model, name)
    for seed in () if name == "gpt2" else (1, 2):  # GPT-2's layers are not linear ones
        bank.add(str(seed), build_adapter(models_folder[name], tmp_path / str(seed), seed))
    storm = Storm(backbone, bank, Random(f"{name} {SEED}"))
    storm.blow(requests=100)
    whole = [job for job in storm.got if job not in storm.cancelled]
    assert len(whole) > 60
    assert storm.cancelled
    assert {storm.got[job][-1] in STOPS for job in whole} == {True, False}
    assert any(len(job.prompt) + len(storm.got[job]) == CONTEXT for job in whole)
    assert storm.passes < sum(map(len, storm.got.values())) / 1.5
    for job in whole:
        assert storm.got[job] == storm.true[job]
    for job in storm.cancelled & storm.got.keys():
        assert storm.got[job] == storm.true[job][: len(storm.got[job])]
