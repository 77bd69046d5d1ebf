"""Attention of few new tokens to many old ones, as two batched matrix products.

On a CPU, torch's fused kernel reads keys and values at half the speed of the memory when there is one query per row,
and reading them is most of what decoding costs. A prefill of many tokens goes to transformers' own ``sdpa`` function,
which never holds all scores at once. A float64 model's keys and values are kept in float32 (:func:`kept_in`): half as
much to read, and to hold.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from holdfast.agents.models.local import kernels

NAME = "holdfast_decode"
MOST_SCORES = 1 << 22  # of one call: 32 MB in float64
MOST_QUERIES = 32  # of a head, for which our kernels are faster than widening what is kept for torch's
USUAL = frozenset({"dropout", "sliding_window", "position_ids", "use_cache", "is_causal"})  # what masks already say


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Softmax attention; the contract of transformers' attention functions.

    :param query: (rows, heads, new tokens, dimension).
    :param key: (rows, key heads, slots, dimension), in the type of ``query`` or float32; ``value`` likewise. Heads are
        a multiple of key heads.
    :param attention_mask: additive, (rows, 1, new tokens, slots).
    :returns: (rows, new tokens, heads, dimension of a value), and None for the weights.
    """
    rows, heads, new, dimension = query.shape
    groups, slots = key.shape[1], key.shape[2]
    odd = any(setting is not None for name, setting in kwargs.items() if name not in USUAL)
    if rows * heads * new * slots > MOST_SCORES or odd or attention_mask is None:
        key, value = (states.to(query.dtype).contiguous() for states in (key, value))
        return sdpa_attention_forward(  # type: ignore[no-any-return]
            module, query, key, value, attention_mask, scaling=scaling, **kwargs
        )
    scale = dimension**-0.5 if scaling is None else scaling
    grouped = (query * scale).reshape(rows * groups, -1, dimension)
    scores = _scratch(query, rows * groups, grouped.shape[1], slots)
    _multiply(grouped, key, scores)
    by_head = scores.view(rows, groups, -1, new, slots)
    by_head += attention_mask[:, :, None]
    torch.softmax(scores, -1, out=scores)
    return _average(scores, value).view(rows, heads, new, -1).transpose(1, 2), None


def _multiply(queries: torch.Tensor, key: torch.Tensor, scores: torch.Tensor) -> None:
    """Write the product of each query (rows x key heads, queries, dimension) with each key into ``scores``."""
    buffer = _buffer(key, queries)
    if buffer is None:
        torch.bmm(queries, _along_slots(key, queries.dtype), out=scores)
    else:
        kernels.multiply(queries.contiguous().numpy(), buffer.numpy(), scores.numpy())


def _average(weights: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """The values (rows x key heads, queries, dimension), weighted by (rows x key heads, queries, slots)."""
    buffer = _buffer(value, weights)
    if buffer is None:
        return torch.bmm(weights, _along_slots(value, weights.dtype).transpose(1, 2))
    averaged = weights.new_empty(*weights.shape[:2], value.shape[3])
    kernels.average(weights.numpy(), buffer.numpy(), averaged.numpy())
    return averaged


def _along_slots(states: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """(rows, heads, slots, dimension) as (rows x heads, dimension, slots), in ``dtype``."""
    return states.transpose(2, 3).to(dtype).flatten(0, 1)


def _buffer(states: torch.Tensor, queries: torch.Tensor) -> torch.Tensor | None:
    """Where our kernels can take them and are the faster: the buffer (rows x heads, dimension, capacity), of which
    ``states`` (rows, heads, slots, dimension) are the first slots.

    :param queries: (rows x heads, queries, ...), what they are multiplied with.
    """
    rows, heads, _, dimension = states.shape
    if (queries.dtype, states.dtype) != (torch.float64, torch.float32) or queries.shape[1] > MOST_QUERIES:
        return None
    capacity = states.stride(3)
    laid_out = (heads * dimension * capacity, dimension * capacity, 1, capacity)
    if states.stride() != laid_out or dimension % kernels.DIMENSIONS:
        return None
    return states.as_strided((rows * heads, dimension, capacity), (dimension * capacity, capacity, 1))


_held = threading.local()


def _scratch(like: torch.Tensor, *shape: int) -> torch.Tensor:
    """Uninitialised memory of ``shape``, the same at every call of a thread: for scores, the kernel would otherwise map
    and clear fresh pages at every layer, which took a fifth of a step."""
    size = math.prod(shape)
    held = getattr(_held, "scores", None)
    if held is None or held.dtype != like.dtype or held.numel() < size:
        held = _held.scores = like.new_empty(size)
    return held[:size].view(shape)


def use_on(model: Any) -> None:
    """Let ``model`` attend by :func:`attend` where it would use torch's fused kernel on a CPU."""
    if model.device.type == "cpu" and model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(NAME)


def kept_in(model: Any) -> torch.dtype | None:
    """The type that ``model``'s keys and values are kept in, where it is not the model's own.

    A float64 model is run so that the shape of a batch, which moves a sum's last digits, moves no token. Rounding keys
    and values to float32 keeps that: two shapes round alike, but for one number in ten million that lies so near a
    border, and such a one moves a draw in 2 of 10^12 cases (measured with the embedded model, see docs/LOG.md). Rounding
    itself, the same in all shapes, moves 1 draw in 10^8.
    """
    mixed = model.config._attn_implementation == NAME and model.dtype == torch.float64
    return torch.float32 if mixed else None


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
