"""Attention of few new tokens to many cached ones, as two batched matrix products.

On a CPU, torch's fused kernel reads keys and values at half the memory bandwidth when there is one query per row, and
reading them is most of the cost of decoding. A prefill of many tokens uses transformers' own ``sdpa`` function, which
never holds all scores at once. The masks are for left-aligned rows: causal, and sliding where the model's layers slide.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.cache_utils import get_layer_types_and_kwargs
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from holdfast.core.errors import ModelError

NAME = "holdfast_decode"
MOST_SCORES = 1 << 22  # of one call: 32 MB in float64
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
    """Compute softmax attention, as transformers' attention functions do.

    Args:
        module: the attention layer.
        query: (rows, heads, new tokens, dimension).
        key: (rows, key heads, slots, dimension). Heads are a multiple of key heads.
        value: as ``key``.
        attention_mask: (rows, 1, new tokens, slots): the engine's is added; transformers' own is None or of bools.
        scaling: of the scores; dimension ** -0.5 by default.
        **kwargs: other settings; unusual ones are passed to ``sdpa``.

    Returns:
        (rows, new tokens, heads, dimension of a value), and None for the weights.
    """
    rows, heads, new, dimension = query.shape
    groups, slots = key.shape[1], key.shape[2]
    odd = any(setting is not None for name, setting in kwargs.items() if name not in USUAL)
    if attention_mask is None or attention_mask.dtype == torch.bool or odd or rows * heads * new * slots > MOST_SCORES:
        return sdpa_attention_forward(  # type: ignore[no-any-return]
            module, query, key.contiguous(), value.contiguous(), attention_mask, scaling=scaling, **kwargs
        )
    scale = dimension**-0.5 if scaling is None else scaling
    if rows == new == 1:  # every head of a group has the mask's one line
        scores = torch.baddbmm(
            attention_mask[0], query.reshape(groups, -1, dimension), key[0].transpose(1, 2), alpha=scale
        )
        return torch.bmm(scores.softmax(-1), value[0]).view(1, 1, heads, -1), None
    grouped = (query * scale).reshape(rows * groups, -1, dimension)
    scores = scratch(query, rows * groups, grouped.shape[1], slots)
    torch.bmm(grouped, key.flatten(0, 1).transpose(1, 2), out=scores)
    by_head = scores.view(rows, groups, -1, new, slots)
    by_head += attention_mask[:, :, None]
    torch.softmax(scores, -1, out=scores)
    return torch.bmm(scores, value.flatten(0, 1)).view(rows, heads, new, -1).transpose(1, 2), None


_local = threading.local()


def scratch(like: torch.Tensor, *shape: int) -> torch.Tensor:
    """Return uninitialised memory of ``shape``, reused at every call of a thread.

    Otherwise the operating system would map and clear fresh pages for the scores of every layer: a fifth of a step.
    """
    size = math.prod(shape)
    scores = getattr(_local, "scores", None)
    if scores is None or scores.dtype != like.dtype or scores.numel() < size:
        scores = _local.scores = like.new_empty(size)
    return scores[:size].view(shape)


def install(model: Any) -> None:
    """Let ``model`` use :func:`attend` where it would use torch's fused kernel on a CPU."""
    if model.device.type == "cpu" and model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(NAME)


@dataclass(frozen=True, slots=True)
class Masks:
    """Builds a model's attention masks. ``kinds``: layer type -> window (None: everything before)."""

    kinds: dict[str, int | None]
    layers: int
    dtype: torch.dtype

    @classmethod
    def of(cls, config: Any, dtype: torch.dtype) -> Masks:
        """Return the masks that ``config``'s layers need.

        Raises:
            ModelError: a layer keeps something else than keys and values of each token (linear attention, ...).
        """
        types, settings = get_layer_types_and_kwargs(config)
        kinds: dict[str, int | None] = {}
        for kind, setting in zip(types, settings, strict=True):
            if kind not in ("full_attention", "sliding_attention"):
                raise ModelError(
                    f"{config.model_type} has layers of type {kind!r}; the local engine knows full and "
                    "sliding attention only"
                )
            kinds[kind] = setting.get("sliding_window")
        return cls(kinds, len(types), dtype)

    def build(self, positions: torch.Tensor, length: int) -> Any:
        """Build additive masks (rows, 1, new tokens, length) for tokens at ``positions`` (rows, new tokens).

        Returns a mapping by layer type where a model mixes them, else one tensor. Padding tokens must have position 0,
        so that no row of a mask hides everything (which would make NaN).
        """
        slots = torch.arange(length, device=positions.device)
        at = positions[:, None, :, None]
        built = {}
        for kind, window in self.kinds.items():
            hidden = slots > at
            if window is not None:
                hidden |= slots <= at - window
            mask = torch.zeros(hidden.shape, dtype=self.dtype, device=positions.device)
            built[kind] = mask.masked_fill_(hidden, float("-inf"))
        return built if len(built) > 1 else next(iter(built.values()))


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)
