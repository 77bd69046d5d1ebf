"""Train a LoRA (Hu et al., ICLR 2022) per pattern by TRL on PEFT: SFT on the replies, or DPO against discarded ones.

The files of an adapter depend on the base, the dialogues, the settings, the seed and the number of CPU threads alone;
in bfloat16 on the kind of CPU too.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from peft import TaskType
from transformers import AutoModelForCausalLM, PrinterCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.training.card import LossReport, expert_card
from holdfast.adapters.training.data import AdapterJob, TrainingData, dialogue_data, pair_data
from holdfast.adapters.training.held_out import BestHeldOut, evaluation
from holdfast.adapters.training.libraries import lora, plain_arguments, quiet, recorded, save_peft, threads
from holdfast.adapters.training.settings import LoraSettings, settings_for
from holdfast.adapters.training.store import CARD
from holdfast.adapters.training.tokenised import TrainedOn
from holdfast.agents.models.local.adapter_folder import WEIGHTS_FILE
from holdfast.agents.models.local.loading import open_tokenizer, open_weights
from holdfast.core.errors import ModelError
from holdfast.core.hashing import file_sha256

__all__ = ["AdapterJob", "TrainedAdapter", "build_trainer", "read_dialogues", "train_adapter"]


@dataclass(frozen=True, slots=True)
class TrainedAdapter:
    """A trained adapter. ``steps``: to the weights that were kept; ``seconds``: wall clock.

    Losses: nats per assistant token (of DPO: of its own loss) at the first and the last of those steps, and of people
    who were held out, None where nobody was.
    """

    name: str
    path: Path
    sha256: str
    trained_on: TrainedOn
    first_loss: float
    final_loss: float
    steps: int
    seconds: float
    held_out_loss: float | None = None
    method: str = "sft"


def read_dialogues(job: AdapterJob, config: TrainingConfig) -> TrainingData:
    """Read what ``job`` learns from as tokens; :func:`train_adapter` learns from them.

    Raises:
        InputError: the dialogues or pairs cannot be read, or ``max_length`` leaves nothing of them.
        ModelError: the base's tokenizer cannot be read, or its chat template does not mark the assistant's tokens.
    """
    settings = settings_for(config, job.base)
    return pair_data(job, settings) if config.method == "dpo" else dialogue_data(job, settings)


def train_adapter(
    job: AdapterJob,
    config: TrainingConfig,
    data: TrainingData | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> TrainedAdapter:
    """Train one adapter and write its folder ``job.out``, replacing what is there.

    ``data``: from :func:`read_dialogues`, which reads them where None. ``on_step(done, total)`` is called after each
    step.

    Raises:
        InputError, ModelError: see :func:`read_dialogues`; or the base cannot be loaded, or the loss is not finite.
    """
    started = time.perf_counter()
    settings, data = settings_for(config, job.base), data or read_dialogues(job, config)
    with quiet(), threads(settings.threads), tempfile.TemporaryDirectory(prefix="holdfast-") as scratch:
        trainer = build_trainer(job, settings, data, scratch)
        best = BestHeldOut(settings.patience)
        if data.held_out:
            trainer.add_callback(best)
        losses = recorded(trainer, on_step, settings.steps)
        if not np.isfinite(losses).all():
            raise ModelError(f"the loss became no number; lower the learning rate (now {settings.learning_rate:g})")
        best.restore(trainer.model)
        _save(trainer, job)
    steps = best.best_step or len(losses)
    report = LossReport(losses[0], losses[steps - 1], steps, len(losses), best.losses.get(steps))
    (job.out / CARD).write_text(expert_card(job, settings, data, report), encoding="utf-8")
    return TrainedAdapter(
        name=job.name,
        path=job.out,
        sha256=file_sha256(job.out / WEIGHTS_FILE),
        trained_on=data.trained_on,
        first_loss=report.first,
        final_loss=report.last,
        steps=steps,
        seconds=time.perf_counter() - started,
        held_out_loss=report.held_out,
        method=settings.method,
    )


def build_trainer(job: AdapterJob, settings: LoraSettings, data: TrainingData, scratch: str) -> Any:
    """Return TRL's trainer, whose loss is of the replies' tokens only. Raises ModelError: the base does not load."""
    bf16 = settings.dtype == "bfloat16"
    dtype = torch.bfloat16 if bf16 else torch.float32
    arguments = plain_arguments(settings, job.seed, scratch, settings.rows_a_pass(data.longest), bf16)
    arguments |= evaluation(data.held_out)
    dpo = settings.method == "dpo"
    trainer = (_TokenisedPairs if dpo else SFTTrainer)(
        model=open_weights(AutoModelForCausalLM, job.base, dtype=dtype),
        args=DPOConfig(**arguments, beta=settings.beta) if dpo else SFTConfig(**arguments),
        train_dataset=Dataset.from_list(list(data.rows)),
        eval_dataset=Dataset.from_list(list(data.held_out)) if data.held_out else None,
        processing_class=open_tokenizer(job.base),
        peft_config=lora(settings, task_type=TaskType.CAUSAL_LM),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


class _TokenisedPairs(DPOTrainer):  # type: ignore[misc]  # trl is untyped here
    """DPO (Rafailov et al. 2023, arXiv 2305.18290) on pairs that are tokens already: TRL's own reading of templates
    knows neither the study's date nor bounds. The reference is the base without the adapter."""

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset


def _save(trainer: Any, job: AdapterJob) -> None:
    """Write the PEFT folder, replacing what is there."""
    if job.out.exists():
        shutil.rmtree(job.out)
    save_peft(trainer, job.out, job.base_name)
