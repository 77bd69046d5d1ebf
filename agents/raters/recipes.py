"""How each kind of dialogue rater is fitted: the one place that ``rater fit``, ``rater train`` and ``validate`` share.

``validate`` refits a rater with its own recipe on people other than those it reports on; were there two copies of the
recipe, it would vouch for a rater that nobody ships.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agents.raters.dialogue_fit import DialogueFit, Settings, fit_reading
from agents.raters.labelled import Labelled
from agents.raters.manifest import EncoderPart, Manifest, hashed_people
from agents.raters.reading import Reader, Reading, WordReader

#: Scale -> settings of the linear rater. Expressed empathy has its own fit (``agents.raters.fit``).
LINEAR: Mapping[str, Settings] = MappingProxyType(
    {
        "perceived": Settings(dense_weight=0.15, spread="expected"),
        "acts": Settings(dense_weight=0.1, spread="as_people"),
    }
)
#: Scale -> how turns become numbers. Acts are judged of the conversation as a whole, not of how it ends.
WAYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "expressed": ("last",),
        "perceived": ("mean", "before last", "last"),
        "acts": ("mean", "largest"),
    }
)
#: Scale -> settings of the encoder rater.
ENCODER: Mapping[str, Settings] = MappingProxyType(
    {
        "expressed": Settings(dense_weight=0.05, spread="levels"),
        "perceived": Settings(dense_weight=0.05, spread="expected"),
        "acts": Settings(dense_weight=0.05, spread="as_people"),
    }
)
WORDS_FROM = 200  # passages: with fewer, single words say more about the few people than about empathy


@dataclass(frozen=True, slots=True)
class Recipe:
    """A reader and the settings of the fit. ``encoder``: None for a linear rater."""

    reader: Reader
    settings: Settings
    ways: tuple[str, ...]
    history: int | None = None
    words: bool = False
    encoder: EncoderPart | None = None

    def fit(self, reading: Reading, labelled: Labelled, seed: int = 0) -> DialogueFit:
        """Fit on one reading of the labelled passages."""
        return fit_reading(reading, labelled, self.settings, seed)

    def manifest(self, labelled: Labelled) -> Manifest:
        """What is written beside weights that were fitted on ``labelled``."""
        return Manifest(
            kind="linear" if self.encoder is None else "encoder",
            scale=labelled.scale.id,  # type: ignore[arg-type]  # pydantic checks it
            dimensions=labelled.dimensions,
            history=self.history,
            ways=self.ways,  # type: ignore[arg-type]  # as above
            words=self.words,
            fitted_on=labelled.id,
            people=hashed_people(labelled),
            encoder=self.encoder,
        )


def linear_recipe(scale: str, passages: int, history: int | None = None) -> Recipe:
    """The linear rater of ``scale`` for so many passages."""
    words = passages >= WORDS_FROM
    return Recipe(WordReader(history, WAYS[scale], words), LINEAR[scale], WAYS[scale], history, words)


def encoder_recipe(scale: str, encoder: EncoderPart, history: int | None = None) -> Recipe:
    """The encoder rater of ``scale``."""
    from agents.raters.encoder import EncoderReader  # torch: a leaf module

    ways = WAYS[scale]
    return Recipe(EncoderReader(encoder, history, ways), ENCODER[scale], ways, history, encoder=encoder)


def recipe_of(manifest: Manifest) -> Recipe:
    """The recipe that a fitted rater came from."""
    if manifest.encoder is not None:
        return encoder_recipe(manifest.scale, manifest.encoder, manifest.history)
    reader = WordReader(manifest.history, manifest.ways, manifest.words)
    return Recipe(reader, LINEAR[manifest.scale], manifest.ways, manifest.history, manifest.words)
