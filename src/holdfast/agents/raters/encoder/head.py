"""The fitted numbers of the encoder rater, and which encoder and which linear rater they belong to."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from pydantic import Field, ValidationError

from holdfast.agents.raters.linear.features import NO_SENTENCE, Floats
from holdfast.agents.raters.linear.rater import KNOTS, Logits
from holdfast.agents.raters.linear.weight_files import require_shapes, write_arrays
from holdfast.core.arrays_file import DAMAGED_ARRAYS, read_arrays
from holdfast.core.errors import DataError
from holdfast.core.files import read_file
from holdfast.personas.schema import Frozen

HEAD, SETTINGS = "head.npz", "head.json"


class HeadSettings(Frozen):
    """``head.json``. ``encoder``: SHA-256 of its weights as loaded; ``words``: the linear rater's version;
    ``max_tokens``: of a sentence, the rest is not read."""

    encoder: str
    words: str
    max_tokens: int = Field(ge=8, le=512)

    def save(self, folder: Path) -> None:
        """Write ``head.json`` into ``folder``."""
        (folder / SETTINGS).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: Path) -> HeadSettings:
        """Read ``head.json``. Raises :class:`DataError` where it is absent or not what it should be."""
        try:
            return cls.model_validate_json(read_file(folder / SETTINGS))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            raise _unreadable(folder, error) from error


@dataclass(frozen=True, slots=True)
class EncoderHead:
    """D numbers of a sentence's vector, M mechanisms with two heads (level 1, 2) each.

    ``weights``: (D + 2 M, 2 M) of a sentence's vector and the linear rater's logits for it, ``bias``: (2 M,);
    ``curves``: (3, 2 M), what the strongest sentence's logit counts, what the linear rater's of the whole reply, and an
    offset; ``scale``: (M, 4), expected levels that map to 0, .5, 1.5 and 2.
    """

    weights: Floats
    bias: Floats
    curves: Floats
    scale: Floats

    def levels(self, vectors: Floats, words: Logits) -> Floats:
        """(R, M) levels. ``vectors``: (S, D) of the sentences that ``words`` has logits for."""
        strongest = np.full(words.strongest.shape, NO_SENTENCE)
        # row by row: one product of all rows is rounded in another order for every number of rows
        for vector, logits, reply in zip(vectors, words.by_sentence, words.reply.tolist(), strict=True):
            own = np.concatenate([vector, logits]) @ self.weights + self.bias
            strongest[reply] = np.maximum(strongest[reply], own)
        first, second, offset = self.curves
        with np.errstate(over="ignore"):
            chance = 1 / (1 + np.exp(-(first * strongest + second * words.whole + offset)))
        expected = chance[:, 0::2] + np.minimum(chance[:, 0::2], chance[:, 1::2])
        return np.stack([np.interp(expected[:, m], knots, KNOTS) for m, knots in enumerate(self.scale)], axis=1)

    def check(self) -> None:
        """Raise ValueError unless the numbers fit together."""
        features, heads = self.weights.shape
        require_shapes(
            bias=(self.bias.shape, (heads,)),
            curves=(self.curves.shape, (3, heads)),
            scale=(self.scale.shape, (heads // 2, len(KNOTS))),
        )
        finite = all(np.all(np.isfinite(getattr(self, each.name))) for each in fields(self))
        if features <= heads or not finite or np.any(np.diff(self.scale) <= 0):
            raise ValueError("a number is not finite, or a scale does not rise")

    def save(self, folder: Path) -> None:
        """Write ``head.npz``; the same numbers give the same bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        write_arrays(folder / HEAD, {each.name: getattr(self, each.name) for each in fields(self)})

    @classmethod
    def load(cls, folder: Path) -> EncoderHead:
        """Read what :meth:`save` wrote. Raises :class:`DataError` where it is absent or not what it should be."""
        try:
            with read_arrays(folder / HEAD) as arrays:
                head = cls(**{each.name: arrays[each.name] for each in fields(cls)})
            head.check()
        except DAMAGED_ARRAYS as error:
            raise _unreadable(folder, error) from error
        return head


def _unreadable(folder: Path, error: Exception) -> DataError:
    return DataError(
        f"{folder}: no encoder rater can be read there ({error}). Allowed: a folder with {HEAD} and {SETTINGS}. Write "
        "one with `holdfast rater fit --kind encoder`."
    )
