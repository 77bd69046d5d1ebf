"""What lies beside a fitted rater's weights: what it reads, which scale it scores, whose labels it was fitted on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, field_validator

from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.protocol import SCALES, Scale
from holdfast.agents.raters.specs import require_fitted
from holdfast.core.errors import DataError
from holdfast.core.files import read_file
from holdfast.personas.schema import Frozen

Bools = NDArray[np.bool_]
MANIFEST = "rater.json"


class EncoderPart(Frozen):
    """The encoder that a rater's numbers come from: its name or folder, its weights' hash, and how texts are cut."""

    name: str
    sha256: str
    max_tokens: int = Field(ge=8, le=8192)


class Manifest(Frozen):
    """``rater.json``. ``people`` are hashes, so that nobody is named and yet nobody is reported on unawares."""

    kind: Literal["linear", "encoder"]
    scale: Literal["expressed", "perceived", "felt"]
    dimensions: tuple[str, ...] = Field(min_length=1)
    history: int | None = Field(default=None, ge=0)
    ways: tuple[Literal["mean", "before last", "last", "largest"], ...]
    words: bool = True
    fitted_on: str
    people: tuple[str, ...]
    encoder: EncoderPart | None = None

    @field_validator("scale", mode="before")
    @classmethod
    def _not_withdrawn(cls, scale: object) -> object:
        return require_fitted(scale)

    @property
    def on(self) -> Scale:
        """The scale's definition."""
        return SCALES[self.scale]

    def saw(self, labelled: Labelled) -> Bools:
        """(n,) whether a label of each passage's person was fitted on, in this data set or in another."""
        return seen(frozenset(self.people), labelled)

    def save(self, folder: Path) -> None:
        """Write ``rater.json`` into ``folder``."""
        (folder / MANIFEST).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read ``rater.json``. Raises :class:`DataError` where it is absent or not what it should be."""
        path = folder / MANIFEST
        try:
            manifest = cls.model_validate_json(read_file(path))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            raise DataError(
                f"{path}: no rater can be read there ({error}). Write one with `holdfast rater fit` or `rater train`."
            ) from error
        unknown = [name for name in manifest.dimensions if name not in manifest.on.dimensions]
        if unknown or (manifest.kind == "encoder") != (manifest.encoder is not None):
            raise DataError(
                f"{path}: {f'dimensions unknown to the scale {manifest.scale}: {unknown}' if unknown else ''}"
                f"{'' if unknown else 'an encoder rater names its encoder, and no other does'}."
            )
        return manifest


def seen(people: Collection[str], labelled: Labelled) -> Bools:
    """(n,) whether each passage's person is among the hashed ``people``, in whatever data set they were met."""
    return np.array([hashed(labelled.population, person) in people for person in labelled.people], dtype=bool)


def hashed(population: str, person: str) -> str:
    """Ten hex digits that stand for a person or a post of a population."""
    return hashlib.sha256(f"{population}:{person}".encode()).hexdigest()[:10]


def hashed_people(labelled: Labelled) -> tuple[str, ...]:
    """Each person once, hashed, sorted."""
    return tuple(sorted({hashed(labelled.population, person) for person in labelled.people}))
