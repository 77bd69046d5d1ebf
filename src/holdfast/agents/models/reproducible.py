"""Which models give the same bytes for the same seed whatever shares a batch, in which order and after which stops.

A sum of floating-point numbers depends on its order in the last digits, and a batch of another shape is summed in
another order. Where a digit decides between two tokens, another word is written. In float64 the digits that differ are
so far below the random draws that none is decided by them; in shorter types some are, once in some thousand tokens,
unless the model runs in shapes that make no difference (``reproducible: true``,
:mod:`holdfast.agents.models.local.tiles`).
"""

import json
from pathlib import Path

from holdfast.agents.models.local.model_sizes import CONFIG_FILE
from holdfast.agents.models.references import LocalReference, ModelReference
from holdfast.core.files import read_file
from holdfast.core.text import MAX_BYTES

PROMISED = "float64"
TILED, CPU = "float32", (None, "cpu")  # where tiles are known to keep a row's bytes


def why_not_reproducible(model: ModelReference) -> str:
    """Return why ``model`` need not give the same bytes for the same seed; "" where it does."""
    if not isinstance(model, LocalReference):
        return f"{model.word} answers from elsewhere, in batches that are not ours"
    dtype = dtype_of(model)
    if dtype == PROMISED or model.reproducible:
        return ""
    way = " ('reproducible: true' at the model keeps it from that)" if dtype == TILED and model.device in CPU else ""
    return f"{model.word} runs in {dtype}, in which what shares a batch may change a last digit, and so a word{way}"


def dtype_of(model: LocalReference) -> str:
    """Return the type of numbers that a model runs in: what its reference says, or its files."""
    if model.dtype != "auto":
        return model.dtype
    return _written(model.path) or "a type that its files do not say"


def _written(folder: Path) -> str:
    try:
        config = json.loads(read_file(folder / CONFIG_FILE, MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return ""
    parts = [config, config.get("text_config")] if isinstance(config, dict) else []
    names = [part.get(key) for part in parts if isinstance(part, dict) for key in ("dtype", "torch_dtype")]
    return next((name.removeprefix("torch.") for name in names if isinstance(name, str)), "")
