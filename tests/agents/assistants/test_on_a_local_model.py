"""The wrapped candidates on the local engine: the same words whatever shares the batch, no turn read twice, resume."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from holdfast import Study
from holdfast.agents import registry
from holdfast.agents.assistants.candidates import DescribedCandidate
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import AssistantView, ChatModel, Generation, GenerationRequest, Message, Sampling
from holdfast.core.errors import BudgetError
from holdfast.simulator.journal.store import JOURNAL, read_episodes
from tests.agents.models.conftest import CONFIGS, build_model, count_tokens_read
from tests.simulator.scripted import ScriptedResources

CANDIDATES = (
    {"kind": "best_of", "n": 3},
    {"kind": "reflect", "chunks": 3, "reflection_tokens": 8},
    {"kind": "exemplars", "k": 2},
)
TURNS = 4


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(CONFIGS["llama"], tmp_path_factory.mktemp("base") / "llama")


@dataclass(frozen=True)
class Forgetful:
    """A model that is asked under a new name each time, so that nothing which it keeps is used."""

    model: ChatModel
    numbers: Any

    @property
    def id(self) -> str:
        return self.model.id

    async def generate(self, request: GenerationRequest) -> Generation:
        return await self.model.generate(replace(request, key=f"{next(self.numbers)}"))


def build(spec: dict[str, Any], model: ChatModel) -> DescribedCandidate:
    resources = ScriptedResources(model, sampling=Sampling(1.0, 1.0, 18))  # type: ignore[arg-type]
    aim = {} if spec["kind"] == "reflect" else {"pattern": "companion"}
    return registry.build_candidate(registry.parse(spec | aim), resources)


async def talk(candidate: DescribedCandidate, name: str) -> list[str]:
    messages: tuple[Message, ...] = ()
    replies = []
    for turn in range(1, TURNS + 1):
        messages = (*messages, Message("user", f"w{turn} w{turn + 7} w3 w4 w5 w6 w7 w8"))
        reply = await candidate.reply(AssistantView(name, turn, messages, 100 * turn + len(name)))
        replies.append(reply.text)
        messages = (*messages, Message("assistant", reply.text))
    return replies


@pytest.mark.parametrize("spec", CANDIDATES, ids=lambda spec: str(spec["kind"]))
def test_the_same_words_whatever_is_kept_and_shares_the_batch(spec: dict[str, Any], llama: Path) -> None:
    names = ["a", "bb", "ccc", "dddd", "eeeee"]

    async def together(model: ChatModel) -> list[list[str]]:
        return list(await asyncio.gather(*(talk(build(spec, model), name) for name in names)))

    async def apart(model: ChatModel) -> list[list[str]]:
        return [await talk(build(spec, Forgetful(model, count())), name) for name in names]

    expected = asyncio.run(apart(LocalChatModel.load(llama, batch_size=1)))
    assert len({text for replies in expected for text in replies}) > len(names)
    for size in (2, 7):
        assert asyncio.run(together(LocalChatModel.load(llama, batch_size=size))) == expected


@pytest.mark.parametrize("spec", CANDIDATES[:2], ids=lambda spec: str(spec["kind"]))
def test_no_turn_is_read_twice(spec: dict[str, Any], llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A late turn's calls read little more tokens than the first turn's, though the conversation has grown by 180.

    Under one key for all draws, or a new one for each reflection, they would read it anew.
    """
    model = LocalChatModel.load(llama, batch_size=4)
    read, at = count_tokens_read(model, monkeypatch), []
    candidate = build(spec, model)

    async def hold() -> None:
        messages: tuple[Message, ...] = ()
        for turn in range(1, 8):
            messages = (*messages, Message("user", " ".join(f"w{turn * 5 + n}" for n in range(20))))
            reply = await candidate.reply(AssistantView("a", turn, messages, turn))
            messages = (*messages, Message("assistant", reply.text or "w1"))
            at.append(sum(read) / reply.calls)
            read.clear()

    asyncio.run(hold())
    assert max(at[1:]) < at[0] + 30  # the reply before, and marks


def test_a_resumed_run_equals_an_uninterrupted_one(llama: Path, tmp_path: Path) -> None:
    store = tmp_path / "store.jsonl"
    store.write_text("\n".join(f'{{"situation": "w{n} my boss", "reply": "w{n}"}}' for n in range(9)), encoding="utf-8")
    candidates = ({**spec, "file": str(store)} if spec["kind"] == "exemplars" else spec for spec in CANDIDATES)
    study = Study.of(
        model={"ref": f"hf:{llama}", "dtype": "float64"},
        personas={"ids": ["jun_park", "priya_raman"]},
        candidates=list(candidates),
        turns=3,
        sampling={"temperature": 1.0, "max_tokens": 12},
    )
    whole = study.run(tmp_path / "whole").results
    out, stops = tmp_path / "broken off", 0
    for limit in (400, 2500, 10**9):
        try:
            resumed = study.replace(budget={"tokens": limit}, batch_size=1).run(out, resume=stops > 0).results
        except BudgetError:
            stops += 1
    assert stops >= 1
    assert resumed.transcripts_sha256 == whole.transcripts_sha256
    turns = [
        [turn for each in read_episodes(folder / JOURNAL) for turn in each.turns]
        for folder in (tmp_path / "whole", out)
    ]
    assert turns[0] == turns[1]  # tokens, thoughts and calls too
