"""Run a model in shapes that make no difference: a row's numbers have the same bytes whatever shares its batch.

Matrix libraries choose the order of a sum by the shape of the whole product: one row is summed otherwise than four, on
some processors eight otherwise than sixteen, and two threads split 64 rows otherwise than 48. So every linear layer is
computed in products of one number of rows, a tile, and attention by two products over whole blocks of slots instead of
a fused kernel. That the libraries of this machine keep to it is not assumed: bytes are compared when a model is loaded
(:func:`holdfast.agents.models.local.self_check.require_same_bytes`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.nn.functional import linear, pad
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from holdfast.agents.models.local.attention import MOST_SCORES, USUAL, scratch
from holdfast.core.errors import UnevenError

NAME = "holdfast_tiles"
ROWS = 32  # of a tile in a linear layer, and so of each of its products
QUERIES = 16  # of a tile in attention
SLOTS = 128  # of a block of keys and values in attention, hidden ones included; divides a cache's chunk


def in_tiles(x: torch.Tensor, product: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """Return ``product`` of the rows of ``x``, (…, width), which are padded with zeros to whole tiles for it."""
    rows = x.reshape(-1, x.shape[-1])
    padded = pad(rows, (0, 0, 0, -len(rows) % ROWS))
    result = torch.cat([product(part) for part in torch.split(padded, ROWS)])[: len(rows)]
    return result.reshape(*x.shape[:-1], result.shape[-1])


def install_tiles(model: Any) -> None:
    """Let ``model`` compute its linear layers and its attention in tiles.

    Raises:
        UnevenError: its attention cannot be replaced.
    """
    if model.config._attn_implementation not in ("sdpa", "eager"):
        raise UnevenError(f"{model.config.model_type}: its attention cannot be run in tiles ('reproducible: true')")
    model.set_attn_implementation(NAME)
    layers: list[Any] = [module for module in model.modules() if type(module) is torch.nn.Linear]
    for layer in layers:
        layer.forward = partial(_linear, layer)


def runs_in_tiles(model: Any) -> bool:
    """Return whether :func:`install_tiles` was called for ``model``."""
    return bool(model.config._attn_implementation == NAME)


def _linear(module: torch.nn.Linear, x: torch.Tensor) -> torch.Tensor:
    return in_tiles(x, lambda rows: linear(rows, module.weight, module.bias))


def attend_in_tiles(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Compute softmax attention as :func:`holdfast.agents.models.local.attention.attend` does, in tiles of queries.

    Raises:
        UnevenError: the model asks for something else than plain attention.
    """
    odd = [name for name, setting in kwargs.items() if name not in USUAL and setting is not None]
    if odd:
        raise UnevenError(f"attention with {', '.join(odd)} is not run in tiles ('reproducible: true')")
    if attention_mask is None or attention_mask.dtype == torch.bool:  # no pass of the engine, whose masks are additive
        return sdpa_attention_forward(  # type: ignore[no-any-return]
            module, query, key, value, attention_mask, scaling=scaling, **kwargs
        )
    rows, heads, new, dimension = query.shape
    groups, slots = key.shape[1], key.shape[2]
    scaled = (query * (dimension**-0.5 if scaling is None else scaling)).view(rows, groups, -1, new, dimension)
    most = max(1, MOST_SCORES // (rows * heads * slots))
    parts = []
    for first in range(0, new, most):
        part, mask = scaled[:, :, :, first : first + most], attention_mask[:, :, None, first : first + most]
        shape = part.shape[:4]
        flat = part.reshape(rows * groups, -1, dimension)
        wide = flat.shape[1]
        flat = pad(flat, (0, 0, 0, -wide % QUERIES))
        scores = scratch(query, rows * groups, flat.shape[1], slots)
        torch.bmm(flat, key.flatten(0, 1).transpose(1, 2), out=scores)
        scores[:, :wide].view(*shape, slots).add_(mask)
        torch.softmax(scores, -1, out=scores)
        weighted = weigh(scores, value.flatten(0, 1))[:, :wide]
        parts.append(weighted.reshape(rows, heads, shape[3], -1))
    return torch.cat(parts, 2).transpose(1, 2), None


def weigh(weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return ``weights @ values``, summed a block of slots at a time: how a long sum is cut hangs on its length."""
    total = torch.bmm(weights[:, :, :SLOTS], values[:, :SLOTS])
    for first in range(SLOTS, values.shape[1], SLOTS):
        block = slice(first, first + SLOTS)
        total += torch.bmm(weights[:, :, block], values[:, block])
    return total


AttentionInterface.register(NAME, attend_in_tiles)
AttentionMaskInterface.register(NAME, sdpa_mask)
