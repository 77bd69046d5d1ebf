"""Raters whose weights lie in a folder: dialogues in, scores on one scale out.

Text inside a rated conversation cannot instruct such a rater: it counts words and weighs numbers, and follows nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holdfast.agents.raters.dialogue.manifest import MANIFEST, Manifest
from holdfast.agents.raters.dialogue.model import DialogueModel
from holdfast.agents.raters.dialogue.reading import FeatureReader
from holdfast.agents.raters.dialogue.window import turns
from holdfast.agents.raters.gate.language import ENGLISH
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.linear.legibility import count_words, why_illegible
from holdfast.agents.raters.linear.rater import SHIPPED_PEERS, LinearRater
from holdfast.agents.raters.linear.weight_files import VOCABULARY, WEIGHTS
from holdfast.agents.raters.protocol import NO_REPLY, Passage, RaterIdentity, Rating, Scale
from holdfast.core.errors import DataError
from holdfast.core.hashing import files_sha256

SHIPPED_PERCEIVED = Path(__file__).parent / "ieval"


@dataclass(frozen=True, slots=True)
class FittedRater:
    """Scores a dialogue with fitted weights. Implements :class:`holdfast.agents.raters.protocol.Rater`.

    Dimensions of the scale without a label to fit on are absent from every rating. Raises :class:`DataError` on
    first use where the folder cannot be read.
    """

    folder: Path

    @property
    def manifest(self) -> Manifest:
        """What it was fitted on, and what it reads."""
        return _loaded(self.folder)[0]

    def saw(self, labelled: Labelled) -> NDArray[np.bool_]:
        """(n,) whether the weights were fitted on labels of each passage's person."""
        return self.manifest.saw(labelled)

    @property
    def identity(self) -> RaterIdentity:
        return RaterIdentity(self.manifest.kind, _loaded(self.folder)[2])

    @property
    def scale(self) -> Scale:
        return self.manifest.on

    @property
    def languages(self) -> frozenset[str] | None:
        """Which languages it knows, where that is known: its own may be fitted on any."""
        return ENGLISH if self.folder == SHIPPED_PERCEIVED else None

    async def rate(self, passages: Sequence[Passage]) -> list[Rating]:
        return self.score(passages)

    def score(self, passages: Sequence[Passage]) -> list[Rating]:
        """One rating per passage, in order; never depends on what else is in the batch."""
        manifest, model, _ = _loaded(self.folder)
        reading = FeatureReader.of(manifest).read(passages)
        if reading.dense.shape[1] != len(model.centre) or len(manifest.dimensions) != len(model.bias):
            raise DataError(
                f"{self.folder}: the weights are of {len(model.centre)} numbers and {len(model.bias)} dimensions, but "
                f"this version reads {reading.dense.shape[1]} and {len(manifest.dimensions)}. Fit the rater again."
            )
        reasons = why_unrated(passages, manifest.history, _known_words(self.folder))
        return [
            Rating(missing=reason) if reason else Rating(dict(zip(manifest.dimensions, row, strict=True)))
            for reason, row in zip(reasons, model.predict(reading).tolist(), strict=True)
        ]


def why_unrated(passages: Sequence[Passage], history: int | None, known: frozenset[str]) -> list[str]:
    """Return, for each passage, why its replies cannot be rated (see :mod:`legibility`), or "".

    ``history``: turns that the rater reads before the rated one; ``known``: words of its language, none where it is not
    known by words.
    """
    replies = ["\n".join(turn.reply for turn in turns(passage, history)) for passage in passages]
    return [
        NO_REPLY if not text else why_illegible(text, *count_words(text, known)) if known else "" for text in replies
    ]


@lru_cache(maxsize=16)
def _known_words(folder: Path) -> frozenset[str]:
    """Return the words that tell a rater's language: its own, and where it is English, the shipped rater's too.

    A rater that was fitted on few dialogues knows few words, or only counts what the shipped rater finds. What an
    encoder reads without words, its words do not tell.
    """
    manifest, model, _ = _loaded(folder)
    own = frozenset(model.table.words)
    if not own and manifest.kind == "encoder":
        return own
    english = frozenset(LinearRater(SHIPPED_PEERS).model.words)  # of people who write English
    return own | english if 2 * len(own & english) >= len(own) else own


@lru_cache(maxsize=16)
def _loaded(folder: Path) -> tuple[Manifest, DialogueModel, str]:
    manifest, model = Manifest.load(folder), DialogueModel.load(folder)
    return manifest, model, files_sha256(folder, WEIGHTS, VOCABULARY, MANIFEST)[:12]
