"""The two files that every fitted linear rater lies in, and the one error where they cannot be read."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.core.arrays_file import DAMAGED_ARRAYS, read_arrays
from holdfast.core.errors import DataError
from holdfast.core.files import read_file

WEIGHTS, VOCABULARY = "weights.npz", "vocabulary.json"


def write_weights(folder: Path, arrays: Mapping[str, NDArray[np.generic]], words: Sequence[str]) -> None:
    """Write ``weights.npz`` and ``vocabulary.json``; the same numbers give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    write_arrays(folder / WEIGHTS, arrays)
    text = json.dumps({"words": words}, ensure_ascii=True, indent=0)
    (folder / VOCABULARY).write_text(text + "\n", encoding="utf-8", newline="\n")


def write_arrays(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write ``arrays`` as one .npz file without dates: the same numbers give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED)


@contextmanager
def reading_weights(folder: Path) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Yield the words and the arrays.

    Whatever a damaged or absent file raises, here or in the block, is one :class:`DataError` with the next step.
    """
    try:
        words = tuple(json.loads(read_file(folder / VOCABULARY))["words"])
        with read_arrays(folder / WEIGHTS) as arrays:
            yield words, arrays
    except DAMAGED_ARRAYS as error:
        raise DataError(
            f"{folder}: no rater's weights can be read there ({error}). "
            f"Allowed: a folder with {WEIGHTS} and {VOCABULARY}. Write one with `holdfast rater fit`."
        ) from error


def require_shapes(**shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """Raise ValueError unless each array's shape is the one that is expected: name=(shape, expected)."""
    for name, (shape, expected) in shapes.items():
        if shape != expected:
            raise ValueError(f"{name} has shape {shape}, expected {expected}")
