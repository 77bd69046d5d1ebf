"""Attention over the cache of the rows in flight, against torch's own."""

from __future__ import annotations

import pytest
import torch

from holdfast.agents.models.local import attention
from holdfast.agents.models.local.attention import attend
from holdfast.agents.models.local.cache import BatchCache


@pytest.mark.parametrize("fused", [False, True])  # False: as two matrix products
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("new", [1, 2, 9, 32])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_attention_over_the_cache_is_softmax_attention(
    fused: bool, rows: int, new: int, dtype: torch.dtype, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "MOST_SCORES", 0 if fused else 1 << 22)
    torch.manual_seed(new)
    heads, groups, length, dimension = 4, 2, 300, 12
    cache = BatchCache(layers=1, rows=rows + 1)
    cache.reserve(length, used=0)
    window = cache.window
    window.first, window.last, window.length = 1, 1 + rows, length
    window.index = torch.arange(1, 1 + rows)[:, None]
    window.slots = torch.arange(length).expand(rows, -1)
    written = torch.randn(2, rows, groups, length, dimension, dtype=dtype)
    key, value = cache.layers[0].update(*written)
    assert key.dtype == value.dtype == dtype
    query = torch.randn(rows, heads, new, dimension, dtype=dtype)
    mask = torch.zeros(rows, 1, new, length, dtype=dtype)
    mask[-1, :, :, 200:] = float("-inf")
    module = torch.nn.Module()
    module.num_key_value_groups = heads // groups
    attended, _ = attend(module, query, key, value, mask)
    keys, values = (part.repeat_interleave(heads // groups, 1) for part in written)
    expected = torch.nn.functional.scaled_dot_product_attention(query, keys, values, mask)
    torch.testing.assert_close(attended, expected.transpose(1, 2), rtol=tolerance, atol=tolerance)
