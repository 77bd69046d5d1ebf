"""Model references by word, as a study's YAML and the command line write them. Light: imports no torch.

========== ===========================================================================================================
word       meaning
========== ===========================================================================================================
micro      the embedded base model; runs in float64, so that a sampled token never depends on what shared the batch
hf:PATH    a folder that ``transformers`` can load (config, weights, tokenizer with a chat template)
========== ===========================================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from personas.errors import InputError
from personas.words import did_you_mean

WORDS = ("micro", "hf:PATH")


@dataclass(frozen=True, slots=True)
class ModelReference:
    """Where a model's folder is, and the floating-point type to run it in ("auto": as its files say)."""

    word: str
    path: Path
    dtype: str


def resolve(reference: str, micro_path: Path) -> ModelReference:
    """Find what ``reference`` names. ``micro_path``: the folder of the embedded base model, given from above.

    :raises InputError: an unknown word, or ``hf:`` without a path. Whether the folder holds a model is checked when it
        is loaded.
    """
    if reference == "micro":
        return ModelReference("micro", micro_path, "float64")
    scheme, _, path = reference.partition(":")
    if scheme == "hf" and path.strip():
        return ModelReference(reference, Path(path.strip()).expanduser(), "auto")
    if scheme == "hf":
        raise InputError("model reference 'hf:' names no folder; write hf:PATH, for example hf:models/my-model")
    hint = did_you_mean(scheme, ("micro", "hf"))
    raise InputError(f"unknown model reference {reference!r}; allowed: {', '.join(WORDS)}{hint}")
