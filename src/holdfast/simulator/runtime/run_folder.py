"""The small files of a run folder beside its journal: what goes wrong with them, and the provenance that they keep."""

import json
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from holdfast.agents.raters.protocol import EXPRESSED, Rater
from holdfast.core.atomic import write_json
from holdfast.core.errors import InputError, JournalError
from holdfast.simulator.results.model import RaterInfo, rater_infos

RUN_FILE = "run.json"  # what a run did besides its conversations: seconds by stage, versions, hashes
REPORT = "report.html"


@contextmanager
def record_run(out: Path, timings: dict[str, float], provenance: Mapping[str, Any]) -> Iterator[None]:
    """Write ``run.json`` when the block is over, however it ends; its seconds are added to ``timings``."""
    began = time.perf_counter()

    def write() -> None:
        timings["conversations"] = timings.get("conversations", 0.0) + time.perf_counter() - began
        rounded = {stage: round(seconds, 2) for stage, seconds in timings.items()}
        with on_disk(out):
            write_json(out / RUN_FILE, {"timings_s": rounded, "provenance": provenance})

    try:
        yield
    except BaseException:
        with suppress(JournalError):  # a full disk is reported once
            write()
        raise
    write()


@contextmanager
def on_disk(out: Path) -> Iterator[None]:
    """A JournalError with the next step, where a file of the run folder cannot be written."""
    try:
        yield
    except OSError as error:
        raise JournalError(
            f"{error.filename or out}: cannot be written ({error.strerror}); every finished turn is kept in the "
            f"journal: put that right, then go on with --resume, or make the report with holdfast report {out}"
        ) from error


def check_can_be_made(out: Path) -> None:
    """Make sure that ``out`` can be a run folder. It is not left there: the study may still be refused.

    Raises:
        InputError: it cannot be made.
    """
    try:
        absent = [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # somebody has put something there meanwhile
            for folder in absent:
                folder.rmdir()
    except OSError as error:
        raise InputError(f"{out}: the run folder cannot be made ({error.strerror})") from error


def read_run_file(out: Path) -> dict[str, Any]:
    """What earlier calls in ``out`` wrote: ``timings_s`` and ``provenance``, empty where there were none."""
    path = out / RUN_FILE
    return read_json(path) if path.exists() else {"timings_s": {}, "provenance": {}}


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``. Raises InputError where it holds none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds no JSON object")
    return value


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Of Python and of these packages."""
    return {"python": platform.python_version(), **{package: version(package) for package in packages}}


def rater_records(raters: Mapping[str, Rater]) -> list[dict[str, Any]]:
    """What ``run.json`` keeps of the raters, the primary one first: identity, role and scale."""
    return [info.model_dump(mode="json") for info in rater_infos(raters)]


def recorded_raters(provenance: Mapping[str, Any]) -> list[RaterInfo]:
    """The raters of a run, from what its folder kept of them."""
    if "raters" in provenance:
        return [RaterInfo.model_validate(rater) for rater in provenance["raters"]]
    rater = provenance.get("rater") or {"id": "unknown", "version": "unknown"}  # a run before there were witnesses
    return [RaterInfo(name=rater["id"], **rater, role="primary", scale=EXPRESSED)]
