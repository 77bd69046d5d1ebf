"""The products of float64 queries with keys and values kept in float32, against numpy and torch."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from holdfast.agents.models.local import kernels
from holdfast.agents.models.local.attention import MOST_QUERIES, attend, kept_in
from holdfast.agents.models.local.cache import BatchCache
from holdfast.agents.models.local.loading import load_backbone
from holdfast.agents.models.local.model import LocalChatModel
from holdfast.agents.protocols import GenerationRequest, Message, Sampling

SHAPES = [  # heads, queries, dimension, slots
    (1, 1, 8, 1),
    (3, 1, 8, 7),
    (2, 2, 32, 255),
    (2, 3, 64, 256),
    (1, 5, 16, kernels.SLOTS),
    (1, 4, 16, kernels.SLOTS + 1),
    (2, 7, 32, 2 * kernels.SLOTS + 33),
]


def states(heads: int, dimension: int, slots: int) -> NDArray[np.float32]:
    """Random ones, with NaN where nothing may be read."""
    drawn = np.random.default_rng(slots).normal(size=(heads, dimension, slots + 40)).astype(np.float32)
    drawn[:, :, slots:] = np.nan
    return drawn


@pytest.mark.parametrize(("heads", "queries", "dimension", "slots"), SHAPES)
def test_products_and_weighted_sums_are_those_of_numpy(heads: int, queries: int, dimension: int, slots: int) -> None:
    rng = np.random.default_rng(queries)
    kept = states(heads, dimension, slots)
    query = rng.normal(size=(heads, queries, dimension))
    scores = np.full((heads, queries, slots), np.nan)
    kernels.multiply(query, kept, scores)
    np.testing.assert_allclose(scores, query @ kept[:, :, :slots].astype(np.float64), rtol=1e-12, atol=1e-12)
    weights = rng.random((heads, queries, slots))
    sums = np.full((heads, queries, dimension), np.nan)
    kernels.average(weights, kept, sums)
    expected = weights @ kept[:, :, :slots].astype(np.float64).transpose(0, 2, 1)
    np.testing.assert_allclose(sums, expected, rtol=1e-12, atol=1e-12 * slots)


@pytest.mark.parametrize("new", [1, 2, 9, MOST_QUERIES // 2, MOST_QUERIES])  # the last takes torch's products
@pytest.mark.parametrize("dimension", [8, 12])  # the second is no multiple of what the kernels take
def test_attention_over_the_cache_is_softmax_attention(new: int, dimension: int) -> None:
    torch.manual_seed(new)
    rows, heads, groups, length = 3, 4, 2, 300
    cache = BatchCache(layers=1, rows=rows + 1, dtype=torch.float32)
    cache.reserve(length, used=0)
    window = cache.window
    window.first, window.last, window.length = 1, 1 + rows, length
    window.index = torch.arange(1, 1 + rows)[:, None]
    window.slots = torch.arange(length).expand(rows, -1)
    written = torch.randn(2, rows, groups, length, dimension, dtype=torch.float64)
    key, value = cache.layers[0].update(*written)
    assert key.dtype == value.dtype == torch.float32
    query = torch.randn(rows, heads, new, dimension, dtype=torch.float64).transpose(1, 2).contiguous().transpose(1, 2)
    mask = torch.zeros(rows, 1, new, length, dtype=torch.float64)
    mask[1, :, :, 200:] = float("-inf")
    attended, _ = attend(torch.nn.Module(), query, key, value, mask)
    keys, values = (part.float().double().repeat_interleave(heads // groups, 1) for part in written)
    expected = torch.nn.functional.scaled_dot_product_attention(query, keys, values, mask)
    torch.testing.assert_close(attended, expected.transpose(1, 2), rtol=1e-12, atol=1e-12)


def test_only_float64_keeps_less_and_it_keeps_half(llama: Path) -> None:
    assert kept_in(load_backbone(llama, dtype="float32").model) is None
    taken = {}
    for dtype in ("float32", "float64"):
        model = LocalChatModel(load_backbone(llama, dtype=dtype), batch_size=1)
        request = GenerationRequest("a", (Message("user", "w1 w2"),), 0, sampling=Sampling(0, max_tokens=4))
        asyncio.run(model.generate(request))
        taken[dtype] = model._engine.shelf.bytes
    assert taken["float64"] == taken["float32"] > 0


def test_where_nothing_can_be_kept_the_kernels_are_compiled_for_this_process() -> None:
    """numba finds no place for code that comes from no file; nor does it on a read-only disk."""
    names: dict[str, Any] = {}
    exec("def one(queries, keys, out):\n    out[0, 0, 0] = queries[0, 0, 0] + keys[0, 0, 0]", names)
    out = np.zeros((1, 1, 1))
    kernels._compiled(names["one"])(out + 1, np.ones((1, 1, 1), np.float32), out)
    assert out.item() == 2


@pytest.mark.parametrize("damaged", ["*.nbi", "*.nbc"])
def test_damaged_files_of_compiled_code_do_not_matter(tmp_path: Path, damaged: str) -> None:
    """Such as a power cut may leave."""
    command = [sys.executable, "-c", "import holdfast.agents.models.local.kernels"]
    for _ in range(2):
        subprocess.run(command, check=True, env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)})
        kept = [file for file in tmp_path.rglob(damaged) if file.is_file()]
        assert kept
        for file in kept:
            file.write_bytes(file.read_bytes()[:40])
