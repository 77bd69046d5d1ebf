"""Refuse a ``config.json`` that describes a model far larger than the weights beside it, before memory is taken for it.

Every width of a model is a side of one of its weights, and every layer has weights. Imports no torch.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from holdfast.agents.models.local.safetensors_files import tensor_kinds
from holdfast.core.errors import ModelError
from holdfast.core.files import read_file
from holdfast.core.hashing import weight_files
from holdfast.core.text import MAX_BYTES

CONFIG_FILE = "config.json"
#: What families of models call the number of their layers.
_LAYERS = frozenset(
    (
        *("num_hidden_layers", "num_layers", "n_layer", "n_layers", "encoder_layers", "decoder_layers"),
        *("num_encoder_layers", "num_decoder_layers"),
    )
)
_WIDTHS = frozenset(
    (
        *("vocab_size", "hidden_size", "intermediate_size", "embedding_size", "n_embd", "n_inner", "d_model", "d_ff"),
        *("dim", "hidden_dim", "ffn_dim", "head_dim", "moe_intermediate_size", "word_embed_proj_dim"),
        *("num_attention_heads", "num_key_value_heads", "n_head", "num_heads"),
        *("num_experts", "num_local_experts", "n_routed_experts"),
    )
)
_CONTEXTS = frozenset(("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"))
#: Of these no model has none.
_POSITIVE = frozenset(
    ("num_hidden_layers", "n_layer", "n_layers", "hidden_size", "n_embd", "num_attention_heads", "n_head")
)
MOST_POSITIONS = 1 << 27  # ten times what any model reads today


def check_sizes(folder: Path) -> None:
    """Compare the sizes in the model folder's ``config.json`` with its weights.

    Raises:
        ModelError: it asks for more layers than there are weights, for a width that no weight has, or for an absurd
            context; or a file cannot be read.
    """
    file = folder / CONFIG_FILE
    shapes = [shape for weights in weight_files(folder) for _, shape in tensor_kinds(weights).values()]
    longest = max((side for shape in shapes for side in shape), default=0)
    for key, size in _sizes(_config(file)):
        if key in _LAYERS and size > len(shapes):
            reason = f"but there are {len(shapes):,} weights beside it, fewer than one a layer"
        elif key in _WIDTHS and size > longest:
            reason = f"but no weight beside it has a side longer than {longest:,}"
        elif key in _POSITIVE and size < 1:
            reason = "where at least 1 is needed"
        elif key in _CONTEXTS and size > MOST_POSITIONS:
            reason = f"where at most {MOST_POSITIONS:,} are read"
        else:
            continue
        raise ModelError(f"{file}: {key} is {size:,}, {reason}; put the config.json that belongs to the weights there")


def _config(file: Path) -> object:
    try:
        config: object = json.loads(read_file(file, MAX_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file}: cannot be read as JSON: {error}; put the model's own file there") from error
    if not isinstance(config, dict):
        raise ModelError(f"{file}: holds no JSON object; put the model's own file there")
    return config


def _sizes(config: object) -> Iterator[tuple[str, int | float]]:
    """Yield every number by its key, those of parts such as ``text_config`` too."""
    left = [config]
    while left:
        part = left.pop()
        for key, value in part.items() if isinstance(part, dict) else ():
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield key, value
            left.append(value)
