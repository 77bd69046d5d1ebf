"""Train a LoRA (Hu et al., ICLR 2022) per pattern: TRL's SFTTrainer on PEFT, loss on the assistant's tokens only.

The files of an adapter depend on the base, the dialogues, the settings, the seed and the number of CPU threads alone.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, TaskType
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
from trl import SFTConfig, SFTTrainer, get_training_chat_template

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.export import read_jsonl
from holdfast.adapters.training.card import AdapterCard
from holdfast.adapters.training.libraries import Losses, plain_arguments, quiet, save_peft, threads
from holdfast.adapters.training.store import CARD, WEIGHTS
from holdfast.core.errors import ModelError
from holdfast.core.hashing import file_sha256, weights_sha256


@dataclass(frozen=True, slots=True)
class AdapterJob:
    """One adapter to train. ``base_name``: what its files call the base, e.g. a hub id; never a path."""

    name: str
    base: Path
    base_name: str
    dialogues: Path
    out: Path
    seed: int


@dataclass(frozen=True, slots=True)
class TrainedAdapter:
    """A trained adapter. Losses: nats per assistant token at the first and the last step. ``seconds``: wall clock."""

    name: str
    path: Path
    sha256: str
    first_loss: float
    final_loss: float
    steps: int
    seconds: float


def train_adapter(
    job: AdapterJob, config: TrainingConfig, on_step: Callable[[int, int], None] | None = None
) -> TrainedAdapter:
    """Train one adapter and write its folder ``job.out``, replacing what is there.

    ``on_step(done, total)`` is called after each step.

    Raises:
        InputError: the dialogues cannot be read.
        ModelError: the base cannot be loaded, or its chat template does not mark the assistant's tokens.
    """
    dialogues = read_jsonl(job.dialogues)
    started = time.perf_counter()
    with quiet(), threads(config.threads), tempfile.TemporaryDirectory(prefix="holdfast-") as scratch:
        losses = Losses(on_step, config.steps)
        trainer = build_sft_trainer(job, config, [dialogue.model_dump()["messages"] for dialogue in dialogues], scratch)
        trainer.add_callback(losses)
        trainer.train()
        _save(trainer, job)
    first, final = losses.values[0], losses.values[-1]
    card = AdapterCard(
        name=job.name,
        base=job.base_name,
        base_sha256=weights_sha256(job.base),
        dialogues=job.dialogues.name,
        dialogues_sha256=file_sha256(job.dialogues),
        dialogue_count=len(dialogues),
        personas=tuple(sorted({dialogue.persona for dialogue in dialogues})),
        seed=job.seed,
        first_loss=first,
        final_loss=final,
        config=config,
    )
    (job.out / CARD).write_text(card.text(), encoding="utf-8")
    digest = file_sha256(job.out / WEIGHTS)
    return TrainedAdapter(job.name, job.out, digest, first, final, config.steps, time.perf_counter() - started)


def build_sft_trainer(
    job: AdapterJob, config: TrainingConfig, messages: list[list[dict[str, str]]], scratch: str
) -> Any:
    """Return the SFTTrainer. ``messages``: one list of role-and-content dicts per dialogue."""
    model, tokenizer = _load(job.base)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(assistant_only_loss=True, **plain_arguments(config, job.seed, scratch)),
        train_dataset=Dataset.from_list([{"messages": lines} for lines in messages]),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=config.rank,
            lora_alpha=config.alpha,
            lora_dropout=0.0,
            target_modules="all-linear",
            task_type=TaskType.CAUSAL_LM,
        ),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _load(base: Path) -> tuple[Any, Any]:
    try:
        tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            base, dtype=torch.float32, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"{base}: cannot be loaded as a causal language model: {error}") from error
    try:
        get_training_chat_template(tokenizer)  # TRL knows marked versions of the templates of common models
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"{base}: its chat template does not mark what the assistant says, so the loss cannot be kept to it; "
            "put {% generation %} and {% endgeneration %} around the assistant's text in chat_template.jinja"
        ) from error
    return model, tokenizer


def _save(trainer: Any, job: AdapterJob) -> None:
    """Write the PEFT folder, replacing what is there."""
    if job.out.exists():
        shutil.rmtree(job.out)
    save_peft(trainer, job.out, job.base_name)
