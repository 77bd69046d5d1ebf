"""Likeness of situations by a frozen sentence encoder, such as MiniLM. Torch is imported by what is imported here."""

from collections.abc import Sequence

import numpy as np

from holdfast.agents.raters.dialogue.encoder import open_encoder
from holdfast.agents.raters.encoder.minilm import MINILM, checked_folder
from holdfast.agents.raters.linear.features import Floats

MAX_TOKENS = 128  # of a situation; the rest is not read


class EncodedSituations:
    """Texts by the cosine of the vectors that the encoder ``name`` gives them: ``minilm``, a folder, or a hub's name.

    Each text is encoded alone, so that its vector is the same to the last bit whatever stands beside it.
    """

    def __init__(self, texts: Sequence[str], name: str) -> None:
        self._name = name
        self._vectors = np.stack([self._vector(text) for text in texts])

    def likeness(self, text: str) -> list[float]:
        """Return the cosine with each text, in [-1, 1], in their order. Raises as :func:`open_encoder` does."""
        cosines: list[float] = (self._vectors @ self._vector(text)).tolist()
        return cosines

    def _vector(self, text: str) -> Floats:
        vector: Floats = open_encoder(_folder(self._name)).vectors([text], MAX_TOKENS)[0]
        return vector


def encoder_version(name: str) -> str:
    """Return the SHA-256 of an encoder's weights. Raises :class:`ModelError` where it cannot be loaded."""
    return open_encoder(_folder(name)).sha256


def _folder(name: str) -> str:
    """Return what :func:`open_encoder` takes: of the word, the folder of the shipped raters' encoder."""
    return str(checked_folder()) if name == MINILM else name
