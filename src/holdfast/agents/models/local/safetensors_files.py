"""Files of weights: what is pickled and never opened, and what the header of a safetensors file says of its tensors.

Imports no torch, and takes no memory for a tensor.
"""

from pathlib import Path

from safetensors import SafetensorError, safe_open

from holdfast.core.errors import ModelError
from holdfast.core.files import open_file

#: Endings of weights that may run code when they are opened.
PICKLED = (".bin", ".pt", ".pth", ".ckpt")


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
