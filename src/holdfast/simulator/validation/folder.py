"""Where the labelled data sets lie. They are other people's text and never part of this repository."""

import os
from pathlib import Path

from holdfast.core.errors import DataError

VARIABLE = "HOLDFAST_DATA"
BESIDE = Path(__file__).resolve().parents[4].parent / "shared" / "data"


def data_folder(given: Path | None = None) -> Path:
    """``given``, else the folder that ``HOLDFAST_DATA`` names, else ``../shared/data`` beside the repository.

    Raises :class:`DataError` where that folder does not exist; a wrong choice never falls through to the next.
    """
    named = os.environ.get(VARIABLE)
    folder, origin = BESIDE, "beside the repository"
    if given is not None:
        folder, origin = given, "from --data"
    elif named:
        folder, origin = Path(named), f"from {VARIABLE}"
    if not folder.is_dir():
        raise DataError(
            f"{folder} ({origin}): no such folder. The labelled data sets are not part of holdfast; "
            f"get them from their authors and name their folder with --data DIR or {VARIABLE}."
        )
    return folder
