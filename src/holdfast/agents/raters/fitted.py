"""Raters that were fitted on human labels: the shipped ones, and those in folders, one or one per scale."""

from collections.abc import Mapping
from pathlib import Path

from holdfast.agents.raters.dialogue.manifest import MANIFEST, Manifest
from holdfast.agents.raters.dialogue.rater import SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.encoder.head import HEAD, SETTINGS
from holdfast.agents.raters.encoder.minilm import checked_folder
from holdfast.agents.raters.encoder.rater import SHIPPED as SHIPPED_ENCODER
from holdfast.agents.raters.encoder.rater import EncoderRater
from holdfast.agents.raters.felt.rater import SHIPPED_FELT, PeopleFeeler
from holdfast.agents.raters.linear.rater import SHIPPED, SHIPPED_PEERS, LinearRater
from holdfast.agents.raters.linear.weight_files import VOCABULARY, WEIGHTS
from holdfast.agents.raters.protocol import EXPRESSED, FELT, SCALES
from holdfast.agents.raters.specs import FittedSpec, JudgeSpec, RaterSpec
from holdfast.core.errors import InputError
from holdfast.core.files import expanded, is_file

_SHIPPED: Mapping[str, Path] = {"expressed": SHIPPED, "perceived": SHIPPED_PERCEIVED, FELT.id: SHIPPED_FELT}
FolderRater = LinearRater | FittedRater | PeopleFeeler | EncoderRater


def fitted_folders(spec: FittedSpec) -> dict[str, Path]:
    """Return scale id -> the folder of its rater.

    Raises:
        InputError: no rater lies in the spec's folder.
        DataError: it is damaged.
    """
    if spec.kind == "linear_peers":
        return {EXPRESSED.id: SHIPPED_PEERS}
    if spec.kind == "encoder" and spec.folder is None:
        return {EXPRESSED.id: SHIPPED_ENCODER}
    if spec.folder is None:
        return dict(_SHIPPED)
    folder = expanded(spec.folder)
    inside = {scale: folder / scale for scale in SCALES if _holds_rater(folder / scale)}
    if inside:
        return inside
    if not _holds_rater(folder):
        raise InputError(
            f"{folder}: no rater lies there. Allowed: a folder with {MANIFEST}, with {WEIGHTS} and {VOCABULARY} of the "
            f"linear rater of expressed empathy, or with {HEAD} and {SETTINGS} of the encoder rater."
        )
    return {_fitted_in(folder).scale.id: folder}


def card_folders(spec: RaterSpec) -> dict[str, Path]:
    """Return scale id -> the folder that holds the rater's ``card.md``. Raises InputError where there is none."""
    if not isinstance(spec, FittedSpec):
        raise InputError(f"{spec.label} has no card: only raters that were fitted on human labels have one")
    folders = fitted_folders(spec)
    for folder in folders.values():
        if not (folder / "card.md").is_file():
            raise InputError(f"{folder}: the rater has no card.md. Write one with `holdfast rater fit`.")
    return folders


def by_scale(spec: RaterSpec) -> dict[str, RaterSpec]:
    """Return scale id -> the rater on that scale, for all scales that it can rate."""
    if isinstance(spec, FittedSpec) and spec.scale is None:
        return {scale: spec.model_copy(update={"scale": scale}) for scale in fitted_folders(spec)}
    if isinstance(spec, JudgeSpec) and "scale" not in spec.model_fields_set:
        return {scale: spec.model_copy(update={"scale": scale}) for scale in SCALES}
    return {spec.scale_id or EXPRESSED.id: spec}


def _holds_rater(folder: Path) -> bool:
    return any(is_file(folder / name) for name in (MANIFEST, WEIGHTS, HEAD))


def _fitted_in(folder: Path) -> FolderRater:
    if (folder / HEAD).is_file():
        return EncoderRater(folder)
    if not (folder / MANIFEST).is_file():
        return LinearRater(folder)
    return PeopleFeeler(folder) if Manifest.load(folder).scale == FELT.id else FittedRater(folder)


def open_fitted(spec: FittedSpec) -> FolderRater:
    """Return the rater on the spec's scale.

    Raises:
        InputError: its folder has none of that scale, or an encoder's weights are not on this machine.
        ModelError: they are others than those that the rater was fitted on.
    """
    folders = fitted_folders(spec)
    scale: str = spec.scale or (EXPRESSED.id if EXPRESSED.id in folders else next(iter(folders)))
    if scale not in folders:
        raise InputError(
            f"{spec.label} knows no scale {scale}; it knows {', '.join(sorted(folders))}: take one of them"
        )
    rater = _fitted_in(folders[scale])
    if isinstance(rater, EncoderRater):
        checked_folder()  # a study without them is refused before it begins
    return rater


def kind_in(folder: Path) -> str:
    """Return which kind of rater lies in ``folder``; linear where none does."""
    places = (folder, *(folder / scale for scale in SCALES))
    if any(is_file(place / HEAD) for place in places):
        return "encoder"
    return next((Manifest.load(place).kind for place in places if is_file(place / MANIFEST)), "linear")
