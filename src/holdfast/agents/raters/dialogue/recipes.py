"""How each kind of dialogue rater is fitted: the one place that ``rater fit``, ``rater train`` and ``validate`` share.

``validate`` refits a rater with its own recipe on people other than those it reports on; were there two copies of the
recipe, it would vouch for a rater that nobody ships.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from holdfast.agents.raters.dialogue.fit import DialogueFit, FitSettings, fit_reading
from holdfast.agents.raters.dialogue.manifest import EncoderPart, Manifest, hashed_people
from holdfast.agents.raters.dialogue.rater import reader_of
from holdfast.agents.raters.dialogue.reading import FeatureReader, Reading, WordReader
from holdfast.agents.raters.labelled import Labelled

#: Scale -> how the fit's sums become scores: least error for an impression, kappa for levels and acts.
SETTINGS: Mapping[str, FitSettings] = MappingProxyType(
    {
        "expressed": FitSettings(spread="levels"),
        "perceived": FitSettings(spread="expected"),
        "acts": FitSettings(spread="as_people"),
    }
)
#: Scale -> how turns become numbers. Acts are judged of the conversation as a whole, not of how it ends.
WAYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "expressed": (),
        "perceived": ("mean", "before last", "last"),
        "acts": ("mean", "largest"),
    }
)
WORDS_FROM = 200  # passages: with fewer, single words say more about the few people than about empathy


@dataclass(frozen=True, slots=True)
class Recipe:
    """A reader and the settings of the fit. ``encoder``: None for a linear rater."""

    reader: FeatureReader
    settings: FitSettings
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
    return Recipe(WordReader(history, WAYS[scale], words), SETTINGS[scale], WAYS[scale], history, words)


def encoder_recipe(scale: str, passages: int, encoder: EncoderPart, history: int | None = None) -> Recipe:
    """The encoder rater of ``scale``: what the linear one reads, and the encoder's vectors beside it."""
    from holdfast.agents.raters.dialogue.encoder import EncoderReader  # torch: a leaf module

    words, ways = passages >= WORDS_FROM, WAYS[scale]
    return Recipe(EncoderReader(encoder, history, ways, words), SETTINGS[scale], ways, history, words, encoder)


def recipe_of(manifest: Manifest) -> Recipe:
    """The recipe that a fitted rater came from."""
    reader = reader_of(manifest)
    return Recipe(reader, SETTINGS[manifest.scale], manifest.ways, manifest.history, manifest.words, manifest.encoder)
