"""Keep rotary positions the same whatever shares the batch and whatever was cached.

LongRoPE and dynamic NTK scaling (Su et al. 2021, arXiv 2104.09864; Ding et al. 2024, arXiv 2402.13753) choose their
factors by the longest row of a pass. The words of a short conversation would change beside a long one, and keys that
were kept under one set of factors would be read under another.
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from holdfast.core.errors import ModelError

_NEAR = 8  # positions of the row that must not change
_ELSEWHERE = "serve it behind an endpoint, or take another model"


def longest_context(config: Any) -> tuple[int | None, str]:
    """Return how many tokens a model may read, and why it is fewer than its files say.

    Under LongRoPE that is its original context: up to there, all conversations have the short factors.
    """
    most = getattr(config, "max_position_embeddings", None)
    originals = [
        settings.get("original_max_position_embeddings") or getattr(config, "original_max_position_embeddings", None)
        for settings in _rope_settings(config)
        if settings.get("rope_type", settings.get("type")) in ("longrope", "su")
    ]
    limits = [int(length) for length in originals if isinstance(length, int) and length > 0]
    if not limits or (most is not None and most <= min(limits)):
        return most, ""
    return min(limits), (
        f"; beyond {min(limits):,} its LongRoPE factors change, and words would depend on what shares a batch: "
        "for longer conversations serve it behind an endpoint"
    )


@torch.inference_mode()
def check_positions(model: torch.nn.Module, context: int, name: str) -> None:
    """Make sure that a row's rotary positions do not depend on a longer row beside it, up to ``context`` tokens.

    Raises:
        ModelError: they do.
    """
    near = torch.arange(_NEAR)[None]
    far = torch.cat([near, torch.arange(context - _NEAR, context)[None]]) if context > 2 * _NEAR else near
    for module in model.modules():
        if not any(buffer.endswith("inv_freq") for buffer, _ in module.named_buffers(recurse=False)):
            continue
        for layer_type in _layer_types(module):
            alone, beside = (_angles(module, positions, layer_type) for positions in (near, far))
            if alone is None or beside is None:
                continue
            if not all(torch.equal(single[0], both[0]) for single, both in zip(alone, beside, strict=True)):
                kind = getattr(module, "rope_type", None)
                kind = kind.get(layer_type) if isinstance(kind, dict) else kind
                raise ModelError(
                    f"{name} scales its positions by the longest conversation of a batch (rope type {kind!r}), so "
                    f"the same seed would give other words; {_ELSEWHERE}"
                )


def _rope_settings(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the rope settings of a config; some have a set for each type of layer."""
    for name in ("rope_parameters", "rope_scaling"):
        settings = getattr(config, name, None)
        if isinstance(settings, Mapping):
            yield settings
            yield from (value for value in settings.values() if isinstance(value, Mapping))


def _layer_types(module: Any) -> tuple[str | None, ...]:
    kinds = getattr(module, "rope_type", None)
    return tuple(kinds) if isinstance(kinds, dict) else (None,)


def _angles(module: Any, positions: torch.Tensor, layer_type: str | None) -> tuple[torch.Tensor, ...] | None:
    """Return a rotary module's output at ``positions``; None where it is called in another way than most."""
    known = set(inspect.signature(module.forward).parameters)
    if "position_ids" not in known:
        return None
    some = next(buffer for name, buffer in module.named_buffers(recurse=False) if name.endswith("inv_freq"))
    ask = {"layer_type": layer_type} if layer_type is not None else {}
    try:
        angles = module(some.new_zeros(1), position_ids=positions.to(some.device), **ask)
    except (TypeError, ValueError, RuntimeError, IndexError, AttributeError):
        return None
    angles = angles if isinstance(angles, tuple) else (angles,)
    return tuple(angle for angle in angles if isinstance(angle, torch.Tensor))
