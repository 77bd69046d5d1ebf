"""Vectors of sentences by MiniLM. Torch is imported here only."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from holdfast.agents.raters.dialogue.encoder import open_encoder
from holdfast.agents.raters.encoder.minilm import checked_folder
from holdfast.agents.raters.linear.features import Floats
from holdfast.core.errors import ModelError

MAX_TOKENS = 128
_REMEMBERED = 1 << 14  # sentences, of which users and models repeat many


def encoder_sha256() -> str:
    """Return the SHA-256 of the encoder's weights as loaded. Raises as :func:`checked_folder` does."""
    return open_encoder(str(checked_folder())).sha256


def vectors_in_batches(sentences: Sequence[str], max_tokens: int = MAX_TOKENS) -> Floats:
    """(S, 384), for fitting: a sentence's last digits hang on what shares its batch."""
    texts = sorted(set(sentences))
    place = {text: number for number, text in enumerate(texts)}
    vectors = open_encoder(str(checked_folder())).vectors(texts, max_tokens)
    return vectors[[place[sentence] for sentence in sentences]]


def vectors_alone(sentences: Sequence[str], sha256: str, max_tokens: int) -> Floats:
    """(S, 384), for rating: the same to the last bit whatever stands beside a sentence.

    Raises:
        InputError: the encoder is not on this machine.
        ModelError: it is another than the one with this ``sha256``.
    """
    if encoder_sha256() != sha256:
        raise ModelError(f"the encoder is not the one that the head was fitted on (sha256 {sha256[:12]}): fit it again")
    vectors = [_vector(sentence, max_tokens) for sentence in sentences]
    return np.stack(vectors) if vectors else np.zeros((0, 384))


@lru_cache(maxsize=_REMEMBERED)
def _vector(sentence: str, max_tokens: int) -> Floats:
    return np.asarray(open_encoder(str(checked_folder())).vectors([sentence], max_tokens, at_once=1)[0])
