"""Files of weights: what is pickled and never opened, and what the header of a safetensors file says of its tensors.

Imports no torch, and takes no memory for a tensor.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from holdfast.core.errors import ModelError
from holdfast.core.files import open_file
from holdfast.core.hashing import weight_files

#: Endings of weights that may run code when they are opened.
PICKLED = (".bin", ".pt", ".pth", ".ckpt")
_LARGEST_HEADER = 100 << 20  # safetensors' own limit
#: Exponent bits of each kind of number; all of them are set where it is infinite or none.
EXPONENTS: Mapping[str, tuple[np.dtype[Any], int]] = {
    "F64": (np.dtype("<u8"), 0x7FF0_0000_0000_0000),
    "F32": (np.dtype("<u4"), 0x7F80_0000),
    "F16": (np.dtype("<u2"), 0x7C00),
    "BF16": (np.dtype("<u2"), 0x7F80),
}


def parameters_in(folder: Path) -> int:
    """Return how many numbers the weights of a model folder hold.

    Raises:
        ModelError: it holds no weights that can be read.
    """
    return sum(math.prod(shape) for file in weight_files(folder) for _, shape in tensor_kinds(file).values())


def tensor_kinds(file: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return each tensor's type, as safetensors calls it, and shape.

    Raises:
        ModelError: the file is absent, no safetensors, or holds no tensor.
    """
    try:
        open_file(file).close()  # no pipe, which would be waited for
        with safe_open(file, framework="numpy") as tensors:
            parts = {name: tensors.get_slice(name) for name in tensors.keys()}  # noqa: SIM118
            kinds = {name: (str(part.get_dtype()), tuple(part.get_shape())) for name, part in parts.items()}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{file}: cannot be read as safetensors: {error}") from error
    if not kinds:
        raise ModelError(f"{file}: holds no weights")
    return kinds


def first_not_finite(file: Path) -> str:
    """Return the first tensor that holds a NaN or an infinite number; "" where none does.

    ``file`` has been read by :func:`tensor_kinds`, and its types are of :data:`EXPONENTS`.
    """
    with open_file(file) as raw:
        length = int.from_bytes(raw.read(8), "little")
        header = json.loads(raw.read(min(length, _LARGEST_HEADER)))
    for name, about in header.items():
        if name == "__metadata__":
            continue
        unsigned, bits = EXPONENTS[about["dtype"]]
        begin, end = about["data_offsets"]
        numbers = np.memmap(file, unsigned, "r", 8 + length + begin, ((end - begin) // unsigned.itemsize,))
        if ((numbers & bits) == bits).any():
            return str(name)
    return ""
