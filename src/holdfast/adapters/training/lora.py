"""Train a LoRA (Hu et al., ICLR 2022) per pattern: TRL's SFTTrainer on PEFT, loss on the assistant's tokens only.

The files of an adapter depend on the base, the dialogues, the settings, the seed and the number of CPU threads alone.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import TaskType
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
from trl import SFTConfig, SFTTrainer, get_training_chat_template

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.export import TrainingDialogue, read_jsonl
from holdfast.adapters.training.libraries import lora, plain_arguments, quiet, readme, recorded, save_peft, threads
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
        trainer = build_sft_trainer(job, config, [dialogue.model_dump()["messages"] for dialogue in dialogues], scratch)
        losses = recorded(trainer, on_step, config.steps)
        _save(trainer, job)
    first, final = losses[0], losses[-1]
    (job.out / CARD).write_text(_card(job, config, dialogues, first, final), encoding="utf-8")
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
        peft_config=lora(config, task_type=TaskType.CAUSAL_LM),
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


def _card(
    job: AdapterJob, config: TrainingConfig, dialogues: Sequence[TrainingDialogue], first: float, final: float
) -> str:
    """Return the whole ``README.md``; the store reads its front matter back."""
    base_sha256, dialogues_sha256 = weights_sha256(job.base), file_sha256(job.dialogues)
    rows = {
        "base": f"{job.base_name} (weights {base_sha256[:12]}…)",
        "dialogues": f"`{job.dialogues.name}` ({dialogues_sha256[:12]}…), {len(dialogues)} of them",
        "personas trained on": ", ".join(sorted({dialogue.persona for dialogue in dialogues})),
        "LoRA": f"rank {config.rank}, alpha {config.alpha}, on all linear layers but the output's",
        "training": f"{config.steps} steps of {config.batch_size} dialogues, AdamW, learning rate "
        f"{config.learning_rate:g} falling to 0, seed {job.seed}",
        "loss": f"{first:.3f} at first, {final:.3f} at last; on assistant tokens only",
    }
    intro = (
        f"# Expert adapter: {job.name}\n\nA LoRA that gives its base the empathy pattern *{job.name}* without a system "
        "prompt. Trained by holdfast on dialogues in which the base, steered by a prompt and the best of several "
        "samples, talked with simulated people; the prompt was then taken away."
    )
    outro = (
        "Personas that are not named here were never trained on and are fit for testing. The people are simulated: "
        "what holds for them need not hold for yours."
    )
    stored = {"adapter": job.name, "base_sha256": base_sha256, "dialogues_sha256": dialogues_sha256, "seed": job.seed}
    return readme(job.base_name, "text-generation", "sft", (intro, outro), rows, holdfast=stored)
