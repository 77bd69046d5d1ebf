"""Attention masks for left-aligned rows: causal, and sliding where the model's layers slide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import get_layer_types_and_kwargs

from holdfast.core.errors import ModelError


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
