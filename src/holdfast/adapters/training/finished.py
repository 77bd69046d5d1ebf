"""The adapters that a training which was stopped had finished: a line each, so that the next one goes on after them."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.training.data import AdapterJob, TrainingData
from holdfast.adapters.training.settings import settings_for
from holdfast.adapters.training.tokenised import TrainedOn
from holdfast.agents.models.local.adapter_folder import WEIGHTS_FILE
from holdfast.core.errors import JournalError
from holdfast.core.files import read_file
from holdfast.core.hashing import file_sha256, sha256, weights_sha256

if TYPE_CHECKING:
    from holdfast.adapters.training.lora import TrainedAdapter


class FinishedAdapters:
    """The lines of one file, of adapters that lie beside it. One writer at a time: the run folder is locked."""

    def __init__(self, file: Path) -> None:
        """Read ``file``, where it is there; half a line at its end, or one that is damaged, counts as none."""
        self._file = file
        self._lines: dict[str, dict[str, Any]] = {}
        with suppress(FileNotFoundError):
            for line in read_file(file).decode("utf-8", "replace").split("\n"):
                with suppress(ValueError, RecursionError, KeyError, TypeError):
                    about = json.loads(line)
                    self._lines[about["inputs"]] = about["adapter"]

    def get(self, job: AdapterJob, config: TrainingConfig, data: TrainingData) -> TrainedAdapter | None:
        """Return what came of ``job``; None where it has not been finished, or its weights are others since."""
        from holdfast.adapters.training.lora import TrainedAdapter

        about = self._lines.get(training_sha256(job, config, data))
        try:
            if about is None or file_sha256(job.out / WEIGHTS_FILE) != about["sha256"]:
                return None
            about = about | {"path": job.out, "trained_on": TrainedOn(**about["trained_on"])}
            return TrainedAdapter(**about)
        except (OSError, KeyError, TypeError):
            return None

    def add(self, job: AdapterJob, config: TrainingConfig, data: TrainingData, adapter: TrainedAdapter) -> None:
        """Say that ``job`` is finished.

        Raises:
            JournalError: it cannot be written.
        """
        about = asdict(adapter) | {"path": adapter.path.name}
        line = json.dumps({"inputs": training_sha256(job, config, data), "adapter": about})
        try:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(f"\n{line}\n" if self._half_a_line() else f"{line}\n")
        except OSError as error:
            raise JournalError(f"{self._file}: cannot be written ({error.strerror or error})") from error

    def _half_a_line(self) -> bool:
        return self._file.exists() and read_file(self._file)[-1:] not in (b"", b"\n")


def training_sha256(job: AdapterJob, config: TrainingConfig, data: TrainingData) -> str:
    """Return one hash of all that the files of an adapter follow from."""
    said = {
        "base": weights_sha256(job.base),
        "name": [job.name, job.base_name],
        "seed": job.seed,
        "settings": asdict(settings_for(config, job.base)),
        "tokens": [data.rows, data.held_out],
        "card": [data.people, data.people_held_out, data.writer, data.held_out_share, str(data.trained_on)],
    }
    return sha256(json.dumps(said))
