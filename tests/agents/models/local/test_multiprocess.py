"""A model in several processes says what the model in this one says, whatever happens to the processes."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.models.local.multiprocess import ProcessesModel, processes_for
from holdfast.agents.models.opening import load_local
from holdfast.agents.models.references import LocalReference
from holdfast.agents.protocols import GenerationRequest, Message, Sampling
from holdfast.core.errors import InputError, ModelError
from tests.agents.models.local.test_model import all_of

WARM = Sampling(temperature=1.0, max_tokens=12)


@pytest.fixture(scope="module")
def pair(models_folder: dict[str, Path]) -> Iterator[ProcessesModel]:
    model = ProcessesModel(LocalReference("hf:llama", models_folder["llama"], "float64"), 6, 2)
    yield model
    children = pids(model)
    model.close()
    assert not any(alive(child) for child in children)


def request(words: str = "w1 w2", **settings: object) -> GenerationRequest:
    fields = {"key": "k", "messages": (Message("user", words),), "seed": 3, "sampling": WARM, **settings}
    return GenerationRequest(**fields)  # type: ignore[arg-type]


def kill(model: ProcessesModel) -> None:
    for worker in model._workers:
        worker._connection._process.kill()
        worker._connection._process.wait()


def pids(model: ProcessesModel) -> list[int]:
    return [worker._connection._process.pid for worker in model._workers]


async def test_it_says_what_one_process_says_with_adapters_too(
    pair: ProcessesModel, models_folder: dict[str, Path], adapters: dict[str, Path]
) -> None:
    alone = LocalChatModel.load(models_folder["llama"], dtype="float64", adapters=adapters)
    for name, path in adapters.items():
        pair.add_adapter(name, path)
    assert (pair.id, pair.adapters) == (alone.id, alone.adapters)
    assert await all_of(pair, list(range(12)), 3, WARM) == await all_of(alone, list(range(12)), 3, WARM)  # type: ignore[arg-type]
    assert len(set(pids(pair))) == 2
    assert set(pair._worker_of.values()) == set(pair._workers)


async def test_a_process_that_is_killed_is_replaced_and_asked_again(
    pair: ProcessesModel, models_folder: dict[str, Path], adapters: dict[str, Path]
) -> None:
    if not pair.adapters:  # run alone
        for name, path in adapters.items():
            pair.add_adapter(name, path)
    alone = LocalChatModel.load(models_folder["llama"], dtype="float64", adapters=adapters)
    expected = await all_of(alone, list(range(8)), 6, Sampling(1.0, max_tokens=60))
    before = pids(pair)
    talking = asyncio.create_task(all_of(pair, list(range(8)), 6, Sampling(1.0, max_tokens=60)))  # type: ignore[arg-type]
    while not all(worker.load for worker in pair._workers):
        await asyncio.sleep(0.01)
    os.kill(before[0], signal.SIGKILL)
    assert await talking == expected
    assert pids(pair)[0] != before[0]
    assert pids(pair)[1] == before[1]


@pytest.mark.slow
async def test_a_process_that_dies_is_replaced_with_its_adapters_until_it_dies_too_often(
    models_folder: dict[str, Path], adapters: dict[str, Path]
) -> None:
    model = ProcessesModel(LocalReference("hf:llama", models_folder["llama"], "float64"), 8, 1)
    (worker,) = model._workers
    kill(model)
    for name, path in adapters.items():
        model.add_adapter(name, path)
    assert model.adapters == tuple(adapters)
    warm = request(adapter="warm")
    expected = await model.generate(warm)

    kill(model)
    first = asyncio.create_task(model.generate(warm))
    while not worker._lock.locked():  # a process takes the place of the other
        await asyncio.sleep(0)
    assert await asyncio.gather(first, *(model.generate(warm) for _ in range(4))) == [expected] * 5

    kill(model)
    with pytest.raises(ModelError, match=r"the process of hf:llama died 3 times \(signal 9\)"):
        await model.generate(warm)
    model.close()


async def test_a_model_that_was_closed_starts_no_process(models_folder: dict[str, Path], tmp_path: Path) -> None:
    model = ProcessesModel(LocalReference("hf:llama", models_folder["llama"]), 8, 1)
    before = pids(model)
    model.close()
    with pytest.raises(ModelError, match="the processes of hf:llama are closed"):
        await model.generate(request())
    with pytest.raises(ModelError, match="the processes of hf:llama are closed"):
        model.add_adapter("late", tmp_path)
    assert pids(model) == before


@pytest.mark.slow
async def test_errors_come_back_as_they_are(pair: ProcessesModel, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no adapter 'nobody'"):
        await pair.generate(request(adapter="nobody"))
    with pytest.raises(ModelError, match=r"has 602 tokens, .* reads 512 at most"):
        await pair.generate(request("w1 " * 598))
    with pytest.raises(ModelError, match=r"holds no adapter_config\.json"):
        pair.add_adapter("empty", tmp_path)
    assert "empty" not in pair.adapters
    with pytest.raises(InputError, match="does not exist"):
        ProcessesModel(LocalReference("hf:none", tmp_path / "none"), 16, 2)


async def test_a_withdrawn_request_is_not_answered(pair: ProcessesModel) -> None:
    task = asyncio.create_task(pair.generate(request(sampling=Sampling(1.0, max_tokens=400))))
    while not sum(worker.load for worker in pair._workers):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sum(worker.load for worker in pair._workers) == 0
    assert await pair.generate(request()) == await pair.generate(request())


def test_the_processes_end_with_the_one_that_started_them(models_folder: dict[str, Path]) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from holdfast.agents.models.local.multiprocess import ProcessesModel\n"
        "from holdfast.agents.models.references import LocalReference\n"
        "model = ProcessesModel(LocalReference('hf:llama', Path(sys.argv[1])), 16, 2)\n"
        "print(*(worker._connection._process.pid for worker in model._workers), flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(models_folder["llama"])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        children = [int(word) for word in parent.stdout.readline().split()]
        assert all(alive(child) for child in children)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        deadline = time.monotonic() + 20
        while any(alive(child) for child in children) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(alive(child) for child in children)


@pytest.mark.parametrize("when", ["before a word", "in the midst of the first", "while it loads", "in a request"])
def test_a_process_that_nobody_asks_any_more_ends_without_a_word(models_folder: dict[str, Path], when: str) -> None:
    opening = pickle.dumps((LocalReference("hf:llama", models_folder["llama"]), 8, 1))
    told = {"before a word": b"", "in the midst of the first": opening[:20]}.get(when, opening)
    command = [sys.executable, "-m", "holdfast.agents.models.local.worker"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(told)
        process.stdin.flush()
        if when == "in a request":
            assert pickle.load(process.stdout) == (0, "llama")
            process.stdin.write(pickle.dumps((1, request()))[:20])
        process.stdout.close()
        process.stdin.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == b""


async def test_that_no_process_can_be_started_is_said(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ModelError, match=r"no process can be started for hf:llama \(No such file or directory\)"):
        ProcessesModel(LocalReference("hf:llama", llama), 16, 2)


def test_processes_share_the_memory_for_conversations_at_rest(llama: Path) -> None:
    alone, one_of_four = (load_local(LocalReference("hf:llama", llama), 8, count) for count in (1, 4))
    for limit in ("max_tokens", "max_bytes"):
        whole, part = (getattr(model._engine.conversations, limit) for model in (alone, one_of_four))
        assert whole == 4 * part > 0


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


def test_only_a_small_model_in_a_wide_batch_gets_several(models_folder: dict[str, Path], tmp_path: Path) -> None:
    small = LocalReference("hf:llama", models_folder["llama"])
    assert [processes_for(small, rows, most=2) for rows in (1, 15, 16, 32)] == [1, 1, 2, 2]
    assert [processes_for(small, 256, most) for most in (1, 3, 64)] == [1, 3, 32]
    assert processes_for(LocalReference("hf:llama", small.path, device="cuda"), 32, most=2) == 1
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(200 << 20)
    assert processes_for(LocalReference("hf:large", tmp_path), 32, most=2) == 1
    assert processes_for(LocalReference("hf:none", tmp_path / "none"), 32, most=2) == 1
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "gone")
    assert processes_for(LocalReference("hf:damaged", tmp_path), 32, most=2) == 1
