"""Raters by what a user calls them: "linear", or a folder that ``rater fit`` or ``rater train`` wrote."""

from __future__ import annotations

from pathlib import Path

from holdfast.agents.raters.dialogue.rater import SHIPPED_ACTS, SHIPPED_PERCEIVED, FittedRater
from holdfast.agents.raters.protocol import SCALES
from holdfast.agents.raters.linear.rater import LinearRater
from holdfast.agents.raters.dialogue.manifest import MANIFEST
from holdfast.agents.raters.linear.weight_files import VOCABULARY, WEIGHTS
from holdfast.core.errors import InputError
from holdfast.core.wording import did_you_mean, quote

LINEAR = "linear"
FolderRater = LinearRater | FittedRater


def scale_raters(reference: str) -> dict[str, FolderRater]:
    """Scale id -> rater. Raises :class:`InputError` for a reference that means nothing, :class:`DataError` for a
    damaged folder.

    A folder is one rater, or holds a rater per scale in the sub-folders ``expressed``, ``perceived`` and ``acts``.
    """
    if reference == LINEAR:
        shipped = (LinearRater(), FittedRater(SHIPPED_PERCEIVED), FittedRater(SHIPPED_ACTS))
        return {rater.scale.id: rater for rater in shipped}
    folder = Path(reference)
    if not folder.is_dir():
        raise InputError(
            f"unknown rater {quote(reference)}{did_you_mean(reference, [LINEAR]) or '.'} Allowed: {LINEAR}, or a "
            "folder that `holdfast rater fit` or `holdfast rater train` wrote."
        )
    found = {one: _in(folder / one) for one in SCALES if (folder / one).is_dir()}
    raters = [rater for rater in (found.values() or [_in(folder)]) if rater is not None]
    if not raters:
        raise InputError(
            f"{folder}: no rater lies there. Allowed: a folder with {MANIFEST}, or with {WEIGHTS} and {VOCABULARY} of "
            "the rater of expressed empathy."
        )
    return {rater.scale.id: rater for rater in raters}


def _in(folder: Path) -> FolderRater | None:
    if (folder / MANIFEST).is_file():
        return FittedRater(folder)
    return LinearRater(folder) if (folder / WEIGHTS).is_file() else None


def card_folders(reference: str) -> dict[str, Path]:
    """Scale id -> the folder that holds the rater's ``card.md``. Raises as :func:`scale_raters`, or where a card is
    missing."""
    found = {scale: rater.folder for scale, rater in scale_raters(reference).items()}
    for folder in found.values():
        if not (folder / "card.md").is_file():
            raise InputError(f"{folder}: the rater has no card.md. Write one with `holdfast rater fit`.")
    return found
