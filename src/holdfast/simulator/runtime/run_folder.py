"""The small files of a run folder beside its journal: what goes wrong with them, and the provenance that they keep."""

import json
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from holdfast.agents.raters.protocol import EXPRESSED, Rater
from holdfast.core.atomic import write_json
from holdfast.core.errors import InputError, JournalError
from holdfast.core.files import read_file
from holdfast.core.wording import first_line
from holdfast.simulator.results.model import RaterInfo, rater_infos

PROVENANCE = "provenance"  # in a journal's meta: what run.json says of it
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


def read_run_file(out: Path, meta: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What earlier calls in ``out`` wrote: ``timings_s`` and ``provenance``, empty where there were none.

    ``meta``: of the journal, which has the provenance too, for a folder whose ``run.json`` is gone.

    Raises:
        InputError: the file is damaged.
    """
    path = out / RUN_FILE
    there = os.path.lexists(path)
    content = read_json(path) if there else {PROVENANCE: json.loads((meta or {}).get(PROVENANCE, "{}"))}
    parts = {name: content.get(name, {}) for name in ("timings_s", "provenance")}
    if odd := [name for name, part in parts.items() if not isinstance(part, dict)]:
        raise InputError(f"{path}: damaged ({odd[0]} is no JSON object); remove the file, the journal has all turns")
    return parts


def recorded_timings(run: Mapping[str, Any]) -> dict[str, float]:
    """The seconds by stage that ``run.json`` kept; what is no number there is left out."""
    timings = run["timings_s"].items()
    return {stage: float(seconds) for stage, seconds in timings if type(seconds) in (int, float) and seconds >= 0}


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``. Raises InputError where it holds none."""
    try:
        value = json.loads(read_file(path))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); remove or replace it") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds no JSON object; remove or replace it")
    return value


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Of Python and of these packages."""
    return {"python": platform.python_version(), **{package: version(package) for package in packages}}


def rater_records(raters: Mapping[str, Rater]) -> list[dict[str, Any]]:
    """What ``run.json`` keeps of the raters, the primary one first: identity, role and scale."""
    return [info.model_dump(mode="json") for info in rater_infos(raters)]


def recorded_raters(provenance: Mapping[str, Any]) -> list[RaterInfo]:
    """The raters of a run, from what its folder kept of them."""
    try:
        if "raters" in provenance:
            infos = [RaterInfo.model_validate(rater) for rater in provenance["raters"]]
            return infos or recorded_raters({})
        rater = provenance.get("rater") or {"id": "unknown", "version": "unknown"}  # a run before there were witnesses
        return [RaterInfo(name=rater["id"], **rater, role="primary", scale=EXPRESSED)]
    except (ValidationError, TypeError, KeyError) as error:
        raise InputError(
            f"{RUN_FILE}: its raters cannot be read ({first_line(error)}); remove the file, the journal has them"
        ) from error
