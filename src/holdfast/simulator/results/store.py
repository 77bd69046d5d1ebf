"""Results in a run folder: written whole or not at all, and read as the model."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from holdfast.core.atomic import drafted
from holdfast.core.errors import InputError
from holdfast.core.files import read_file
from holdfast.simulator.journal.store import require_folder
from holdfast.simulator.results.model import Results

RESULTS = "results.json"


def write_results(path: Path, results: BaseModel) -> None:
    """Write ``results`` as JSON.

    Raises:
        OSError: It cannot be written; the old file stays.
    """
    with drafted(path) as draft:
        draft.write_text(results.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_results(folder: Path) -> Results:
    """Read ``results.json`` of a run folder.

    Raises:
        InputError: It is absent, no JSON, or of another version of holdfast.
    """
    path = folder / RESULTS
    require_folder(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such run folder")
    try:
        return Results.model_validate_json(read_file(path))
    except FileNotFoundError:
        raise InputError(f"{path} is absent; make it with 'holdfast report {folder}'") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        why = "is no JSON" if first["type"] == "json_invalid" else "was written by another version of holdfast"
        raise InputError(f"{path} {why}: 'holdfast report {folder}' makes it anew") from error
