"""How each kind of dialogue rater is fitted: the one place that ``rater fit``, ``rater train`` and ``validate`` share.

``validate`` refits a rater with its own recipe on people other than those it reports on; were there two copies of the
recipe, it would vouch for a rater that nobody ships.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from holdfast.agents.raters.dialogue.fit import DialogueFit, Spread, fit_reading
from holdfast.agents.raters.dialogue.manifest import EncoderPart, Manifest, hashed_people
from holdfast.agents.raters.dialogue.reading import FeatureReader, Reading
from holdfast.agents.raters.labelled import Labelled
from holdfast.agents.raters.linear.features import Floats, Ints

#: Scale -> how the fit's sums become scores: least error for an impression, kappa for levels.
SPREADS: Mapping[str, Spread] = MappingProxyType({"expressed": "levels", "perceived": "expected"})
#: Scale -> how turns become numbers.
WAYS: Mapping[str, tuple[str, ...]] = MappingProxyType({"expressed": (), "perceived": ("mean", "before last", "last")})
WORDS_FROM = 200  # passages: with fewer, single words say more about the few people than about empathy


class FittedScores(Protocol):
    """What a fit on labels gives; see :class:`DialogueFit`."""

    @property
    def model(self) -> Any: ...  # with ``predict``, ``save``, ``table`` and ``centre``

    @property
    def penalties(self) -> tuple[float, ...]: ...

    @property
    def held_out(self) -> Floats: ...

    @property
    def rows(self) -> Ints: ...


class AnyRecipe(Protocol):
    """How raters of one kind are fitted: what ``reader`` makes of passages is fitted on, in whole or by rows."""

    @property
    def reader(self) -> Any: ...  # with ``read``

    def fit(self, reading: Any, labelled: Labelled, seed: int = 0) -> FittedScores: ...

    def manifest(self, labelled: Labelled) -> Manifest: ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a rater of ``scale`` is fitted: on what ``reader`` reads, with the scale's ways and spread."""

    scale: str
    reader: FeatureReader

    def fit(self, reading: Reading, labelled: Labelled, seed: int = 0) -> DialogueFit:
        """Fit on one reading of the labelled passages."""
        return fit_reading(reading, labelled, SPREADS[self.scale], seed)

    def manifest(self, labelled: Labelled) -> Manifest:
        """What is written beside weights that were fitted on ``labelled``."""
        return Manifest(
            kind="linear" if self.reader.encoder is None else "encoder",
            scale=labelled.scale.id,  # type: ignore[arg-type]  # pydantic checks it
            dimensions=labelled.dimensions,
            history=self.reader.history,
            ways=self.reader.ways,  # type: ignore[arg-type]  # as above
            words=self.reader.words,
            fitted_on=labelled.id,
            people=hashed_people(labelled),
            encoder=self.reader.encoder,
        )


def recipe_for(scale: str, passages: int, history: int | None = None, encoder: EncoderPart | None = None) -> Recipe:
    """The recipe of ``scale`` for so many passages: of a linear rater, or of one with an ``encoder``."""
    return Recipe(scale, FeatureReader(history, WAYS[scale], passages >= WORDS_FROM, encoder))


def recipe_of(manifest: Manifest) -> Recipe:
    """The recipe that a fitted rater came from."""
    return Recipe(manifest.scale, FeatureReader.of(manifest))
