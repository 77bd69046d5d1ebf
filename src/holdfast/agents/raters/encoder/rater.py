"""The encoder rater: expressed empathy of a reply from its sentences' words and from their vectors by a frozen encoder.

A sentence's logits are a weighted sum of its vector and of the linear rater's logits for it. From there on it is the
linear rater's way: the strongest sentence's logits and the linear rater's of the whole reply become an expected level,
and a scale puts that where rounding agrees best with the labels.

Torch is imported where vectors are made only; everything else is numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holdfast.agents.raters.encoder.head import HEAD, SETTINGS, EncoderHead, HeadSettings
from holdfast.agents.raters.gate.language import ENGLISH
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.linear.features import Floats, normalise, sentence_spans
from holdfast.agents.raters.linear.rater import SHIPPED as SHIPPED_WORDS
from holdfast.agents.raters.linear.rater import LinearRater, rated_replies, ratings_by_passage
from holdfast.agents.raters.protocol import EXPRESSED, Passage, RaterIdentity, Rating, Scale
from holdfast.core.errors import DataError
from holdfast.core.hashing import files_sha256

SHIPPED = Path(__file__).parent / "expressed"
WORDS = "words"  # the folder of the linear rater beside the head, where it is not the shipped one
_CHUNK = 256  # replies at a time: bounds memory


@dataclass(frozen=True, slots=True)
class EncoderRater:
    """Scores expressed empathy with a head on MiniLM's vectors; reads the reply only.

    Implements :class:`holdfast.agents.raters.protocol.Rater`.

    ``folder`` holds the head; the shipped one by default. On first use raises :class:`DataError` if it is unreadable,
    :class:`InputError` where the encoder's weights are not on this machine, :class:`ModelError` where they are others.
    """

    folder: Path = field(default=SHIPPED)

    @property
    def words(self) -> LinearRater:
        """The linear rater whose logits the head weighs."""
        own = self.folder / WORDS
        return LinearRater(own if own.is_dir() else SHIPPED_WORDS)

    def saw(self, labelled: Labelled) -> NDArray[np.bool_]:
        """(n,) whether it was fitted on another reply to the same post: its linear rater learned from the same."""
        return self.words.saw(labelled)

    @property
    def identity(self) -> RaterIdentity:
        """Version: the first 12 hex digits of the SHA-256 of the head's files, which name encoder and linear rater."""
        return RaterIdentity("encoder", _loaded(self.folder, self.words)[2])

    @property
    def scale(self) -> Scale:
        return EXPRESSED

    @property
    def languages(self) -> frozenset[str] | None:
        """Which languages it knows, where that is known: its own may be fitted on any."""
        return ENGLISH if self.folder == SHIPPED else None

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        return self.score(passages)

    def score(self, passages: Sequence[Passage]) -> list[Rating]:
        """Rate each passage's last reply, or with ``whole`` the mean level of its replies.

        What it cannot read is missing, not 0. A rating never depends on what else is in the batch.
        """
        replies = [rated_replies(passage) for passage in passages]
        texts = [reply for own in replies for reply in own]
        reasons = [self.words.why_unrated(text) for text in texts]
        return ratings_by_passage(self.levels(texts), reasons, [len(own) for own in replies])

    def levels(self, texts: Sequence[str]) -> Floats:
        """(R, 3) levels, 0-2 each; a reply without words scores 0."""
        parts = [self._levels(texts[at : at + _CHUNK]) for at in range(0, len(texts), _CHUNK)]
        return np.concatenate(parts) if parts else np.zeros((0, len(EXPRESSED.dimensions)))

    def _levels(self, texts: Sequence[str]) -> Floats:
        head, settings, _ = _loaded(self.folder, self.words)
        from holdfast.agents.raters.encoder.vectors import vectors_alone  # torch: a leaf module

        vectors = vectors_alone(sentences_to_encode(texts), settings.encoder, settings.max_tokens)
        return head.levels(vectors, self.words.model.logits(texts))


def sentences_to_encode(texts: Sequence[str]) -> list[str]:
    """Return the sentences of all texts, in order, as the linear rater cuts them."""
    return [normalise(text)[begin:end] for text in texts for begin, end in sentence_spans(text)]


@lru_cache(maxsize=4)
def _loaded(folder: Path, words: LinearRater) -> tuple[EncoderHead, HeadSettings, str]:
    head, settings = EncoderHead.load(folder), HeadSettings.load(folder)
    if words.identity.version != settings.words:
        raise DataError(
            f"{folder}: its head belongs to the linear rater {settings.words}, but that in {words.folder} is "
            f"{words.identity.version}. Fit it again with `holdfast rater fit --kind encoder`."
        )
    return head, settings, files_sha256(folder, HEAD, SETTINGS)[:12]
