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
from holdfast.core.hashing import file_sha256, sha256, weights_sha256
from holdfast.core.jsonl import append_line, whole_lines

if TYPE_CHECKING:
    from holdfast.adapters.training.lora import TrainedAdapter


class FinishedAdapters:
    """The lines of one file, of adapters that lie beside it. One writer at a time: the run folder is locked."""

    def __init__(self, file: Path) -> None:
        """Read ``file``, where it is there; half a line at its end, or one that is damaged, counts as none."""
        self._file = file
        self._lines: dict[str, dict[str, Any]] = {}
        for line in whole_lines(file):
            with suppress(ValueError, RecursionError, KeyError, TypeError):
                about = json.loads(line)
                self._lines[about["inputs"]] = about["adapter"]

    def get(self, job: AdapterJob, inputs: str) -> TrainedAdapter | None:
        """Return what came of ``job``; None where it has not been finished, or its weights are others since.

        ``inputs``: :func:`training_sha256` of it.
        """
        from holdfast.adapters.training.lora import TrainedAdapter

        about = self._lines.get(inputs)
        try:
            if about is None or file_sha256(job.out / WEIGHTS_FILE) != about["sha256"]:
                return None
            about = about | {"path": job.out, "trained_on": TrainedOn(**about["trained_on"])}
            return TrainedAdapter(**about)
        except (OSError, KeyError, TypeError):
            return None

    def add(self, inputs: str, adapter: TrainedAdapter) -> None:
        """Say that the adapter that follows from ``inputs`` is finished.

        Raises:
            JournalError: it cannot be written.
        """
        about = asdict(adapter) | {"path": adapter.path.name}
        try:
            append_line(self._file, json.dumps({"inputs": inputs, "adapter": about}))
        except OSError as error:
            raise JournalError(f"{self._file}: cannot be written ({error.strerror or error})") from error


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
