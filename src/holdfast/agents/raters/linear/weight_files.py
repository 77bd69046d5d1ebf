"""The two files that every fitted linear rater lies in, and the one error where they cannot be read."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.core.errors import DataError

WEIGHTS, VOCABULARY = "weights.npz", "vocabulary.json"


@contextmanager
def reading_weights(folder: Path) -> Iterator[None]:
    """Whatever a damaged or absent file raises in the block is one :class:`DataError` with the next step."""
    try:
        yield
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{folder}: no rater's weights can be read there ({error}). "
            f"Allowed: a folder with {WEIGHTS} and {VOCABULARY}. Write one with `holdfast rater fit`."
        ) from error
