"""Float32 in tiles: the same bytes at any batch size and after any stop, and plain attention still."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import Gemma2Config, Gemma3TextConfig, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

from holdfast import Study
from holdfast.agents.models.local.loading import Backbone, load_backbone
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.models.local.self_check import require_same_bytes
from holdfast.agents.models.local.tiles import in_tiles, weigh
from holdfast.core.errors import InputError, UnevenError
from tests.agents.models.conftest import COMMON, build_adapter, build_model

#: SmolLM2's proportions: three heads a group, and sums that are long enough to be split.
LIKE_SMOLLM2 = LlamaConfig(
    **COMMON
    | {
        "hidden_size": 288,
        "intermediate_size": 768,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "head_dim": 32,
        "num_hidden_layers": 2,
        "tie_word_embeddings": True,
    }
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(LIKE_SMOLLM2, tmp_path_factory.mktemp("models") / "like-smollm2")


@pytest.fixture(scope="module")
def adapters(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters")
    build_adapter(base, folder / "warm", 11)
    build_adapter(base, folder / "cool", 12, rank=3)
    return folder


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_a_tile_is_filled_with_zeros_and_emptied_again() -> None:
    """Three rows of two numbers and a matrix that doubles the first and drops the second: (1, 2) -> 2, …"""
    x = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
    seen: list[torch.Size] = []

    def product(rows: torch.Tensor) -> torch.Tensor:
        seen.append(rows.shape)
        return rows @ torch.tensor([[2.0], [0.0]])

    assert in_tiles(x, product).tolist() == [[[2.0], [6.0], [10.0]]]
    assert seen == [torch.Size([32, 2])]


def test_many_rows_are_several_products_of_one_shape() -> None:
    """No processor, and no number of threads, adds a product of one shape in two ways."""
    x, seen = torch.arange(200.0).view(100, 2), list[int]()

    def product(rows: torch.Tensor) -> torch.Tensor:
        seen.append(len(rows))
        return rows.flip(1)

    assert torch.equal(in_tiles(x, product), x.flip(1))
    assert seen == [32, 32, 32, 32]


@pytest.mark.parametrize("slots", [384, 512, 1024])
def test_hidden_slots_behind_a_text_change_no_byte(slots: int, two_threads: None) -> None:
    """300 tokens alone stand in 384 slots, beside longer texts in more; what is hidden has a weight of zero."""
    numbers = torch.Generator().manual_seed(5)
    values = torch.randn(3, slots, 64, generator=numbers)
    weights = torch.rand(3, 16, slots, generator=numbers)
    weights[:, :, 300:] = 0
    assert torch.equal(weigh(weights, values), weigh(weights[:, :, :384], values[:, :384]))
    assert torch.allclose(weigh(weights, values), weights @ values, atol=1e-4)


def backbone(base: Path, *, reproducible: bool) -> Backbone:
    return load_backbone(base, dtype="float32", reproducible=reproducible)


def test_a_row_has_the_same_bytes_alone_and_among_others(base: Path, two_threads: None) -> None:
    require_same_bytes(backbone(base, reproducible=True))


def test_without_tiles_it_has_not(base: Path, two_threads: None) -> None:
    with pytest.raises(
        UnevenError, match=r"like-smollm2 in float32 has not the same bytes .* Leave 'reproducible' out"
    ):
        require_same_bytes(backbone(base, reproducible=False))


#: Widths of real models are multiples of a processor's vectors; in others the last numbers of a row are computed apart.
WIDE = COMMON | {"hidden_size": 128, "intermediate_size": 256, "max_position_embeddings": 1024}
FAMILIES = {
    "qwen2": Qwen2Config(**WIDE),
    "qwen3": Qwen3Config(**WIDE, head_dim=32),
    "mistral": MistralConfig(**WIDE, sliding_window=12),
    "mixed": Qwen2Config(**WIDE, use_sliding_window=True, sliding_window=12, max_window_layers=1),
    "gemma3": Gemma3TextConfig(**WIDE, head_dim=32, sliding_window=12),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_other_families_run_in_tiles_too(name: str, tmp_path: Path) -> None:
    """Loading compares the logits with those of a plain forward pass, and then the bytes."""
    folder = build_model(FAMILIES[name], tmp_path / name)
    assert LocalChatModel.load(folder, dtype="float32", reproducible=True).id == name


def test_what_cannot_run_in_tiles_is_refused(tmp_path: Path) -> None:
    capped = build_model(Gemma2Config(**COMMON, head_dim=16, sliding_window=12), tmp_path / "capped")
    with pytest.raises(UnevenError, match="is not run in tiles"):
        LocalChatModel.load(capped, dtype="float32", reproducible=True)


def study(base: Path, adapters: Path, **settings: Any) -> dict[str, Any]:
    model = {"ref": f"hf:{base}", "dtype": "float32", "reproducible": True, **settings.pop("model", {})}
    return {
        "seed": 5,
        "turns": 6,
        "personas": {"per_task": 1},
        "model": model,
        "adapters": str(adapters),
        "sampling": {"temperature": 1.0, "max_tokens": 12},
        "candidates": [
            "base",
            {"kind": "adapter", "adapter": "warm", "name": "warm"},
            {"kind": "adapter", "adapter": "cool", "name": "cool"},
        ],
        **settings,
    }


@pytest.fixture(scope="module")
def uninterrupted(base: Path, adapters: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("whole") / "run"
    results = Study.of(**study(base, adapters, batch_size=24)).run(out).results
    assert results.byte_reproducible is True
    assert results.not_reproducible == []
    return results.transcripts_sha256


@pytest.mark.parametrize("batch_size", [1, 7])
def test_the_batch_size_makes_no_difference(
    batch_size: int, base: Path, adapters: Path, uninterrupted: str, tmp_path: Path
) -> None:
    results = Study.of(**study(base, adapters, batch_size=batch_size)).run(tmp_path / "run").results
    assert results.transcripts_sha256 == uninterrupted


def test_a_killed_run_goes_on_to_the_same_bytes(base: Path, adapters: Path, uninterrupted: str, tmp_path: Path) -> None:
    out, file = tmp_path / "run", tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(study(base, adapters, batch_size=7)))
    command = [sys.executable, "-c", "from holdfast.simulator.cli.main import main; main()", "run", str(file)]
    process = subprocess.Popen([*command, "--out", str(out), "--quiet"])
    while _turns(out) < 12 and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 12 <= _turns(out) < 8 * 3 * 6  # it was at work
    results = Study.of(**study(base, adapters, batch_size=24)).run(out, resume=True).results
    assert results.transcripts_sha256 == uninterrupted


def _turns(out: Path) -> int:
    try:
        with sqlite3.connect(f"file:{out / 'journal.sqlite'}?mode=ro", uri=True) as journal:
            (count,) = journal.execute("SELECT count(*) FROM turns").fetchone()
            return int(count)
    except sqlite3.OperationalError:
        return 0


def test_only_models_of_this_cpu_can_promise_it() -> None:
    for model in ({"ref": "openai:m", "base_url": "http://127.0.0.1:9/v1"}, {"ref": "hf:x", "device": "cuda"}):
        with pytest.raises(InputError, match="reproducible is for models on this machine's CPU; remove it"):
            Study.of(model={**model, "reproducible": True}, candidates=["base"]).plan(rehearse=True)


def test_it_is_said_where_nothing_is_promised(base: Path, adapters: Path, tmp_path: Path) -> None:
    settings = study(base, adapters, turns=1, personas={"ids": ["jun_park"]}, model={"reproducible": False})
    results = Study.of(**settings).run(tmp_path / "run").results
    assert results.byte_reproducible is False
    (reason,) = results.not_reproducible
    assert reason.startswith(f"hf:{base} runs in float32, in which what shares a batch may change a last digit")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Not byte-reproducible." in page
