"""Where a model computes no finite number for one conversation, that one fails; the others go on, word for word."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import Generation, GenerationRequest, Message, Sampling
from holdfast.core.errors import ModelError
from tests.agents.models.local.test_model import opening

BAD_WORD = "w92"  # the last of the vocabulary, which no other conversation says


def spoilt(model: Path, copy: Path, weight: str, row: int, number: float) -> Path:
    shutil.copytree(model, copy)
    weights = load_file(copy / "model.safetensors")
    weights[weight][row] = number
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    return copy


def requests(sampling: Sampling, bad: range) -> list[GenerationRequest]:
    said = [opening(number) for number in range(8)]
    for number in bad:
        said[number] = (Message("user", f"w1 {BAD_WORD} w2 " * (number + 1)),)
    return [GenerationRequest(f"c{n}", messages, n, sampling=sampling) for n, messages in enumerate(said)]


async def answers(model: LocalChatModel, asked: list[GenerationRequest]) -> list[Generation | BaseException]:
    return await asyncio.gather(*map(model.generate, asked), return_exceptions=True)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("sampling", [Sampling(0, max_tokens=9), Sampling(1.1, top_p=0.9, max_tokens=9)])
async def test_only_its_own_conversation_fails(number: float, sampling: Sampling, llama: Path, tmp_path: Path) -> None:
    folder = spoilt(llama, tmp_path / "m", "model.embed_tokens.weight", 99, number)
    model = LocalChatModel.load(folder, dtype="float64", batch_size=4)
    expected = await answers(LocalChatModel.load(llama, dtype="float64", batch_size=1), requests(sampling, range(0)))
    for bad in (range(2, 5), range(0, 1), range(0, 8), range(0)):  # rows are used again after those that failed
        for n, (answer, good) in enumerate(zip(await answers(model, requests(sampling, bad)), expected, strict=True)):
            if n in bad:
                assert isinstance(answer, ModelError)
                assert f"predicts no finite number after {3 + 3 * (n + 1) + 1} tokens of c{n}: its weights" in str(
                    answer
                )
                assert str(answer).endswith("too large for float64; take another dtype, such as float32")
            else:
                assert answer == good
    await asyncio.get_running_loop().run_in_executor(model._worker, lambda: None)
    assert not model._engine.rows


async def test_it_may_happen_in_the_middle_of_a_reply_and_the_conversation_may_go_on(llama: Path) -> None:
    model = LocalChatModel.load(llama, dtype="float64", batch_size=4)
    sampling = Sampling(0, max_tokens=9)
    asked = requests(sampling, range(0))
    expected = await answers(model, asked)
    plain, passes = model._engine.backbone.model.forward, 0

    def failing(*args: object, **kwargs: object) -> object:
        nonlocal passes
        passes += 1
        output = plain(*args, **kwargs)
        if passes == 4 and len(output.logits) > 1:
            output.logits[1] = torch.nan
        return output

    model._engine.backbone.model.forward = failing
    got = await answers(model, asked)
    failed = [n for n, answer in enumerate(got) if isinstance(answer, ModelError)]
    assert len(failed) == 1
    assert [a for n, a in enumerate(got) if n not in failed] == [a for n, a in enumerate(expected) if n not in failed]
    assert await answers(model, [asked[failed[0]]]) == [expected[failed[0]]]


def test_a_model_of_damaged_weights_is_told_when_it_is_loaded(llama: Path, tmp_path: Path) -> None:
    folder = spoilt(llama, tmp_path / "m", "model.norm.weight", 3, float("nan"))
    with pytest.raises(ModelError, match="computes no finite numbers: its weights are damaged, or too large for"):
        LocalChatModel.load(folder)
