"""Train a LoRA (Hu et al., ICLR 2022) per pattern: TRL's SFTTrainer on PEFT, loss on the assistant's tokens only.

The files of an adapter depend on the base, the dialogues, the settings, the seed and the number of CPU threads alone.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import TaskType
from transformers import AutoModelForCausalLM, PrinterCallback
from trl import SFTConfig, SFTTrainer

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.dialogues.export import read_jsonl
from holdfast.adapters.training.libraries import lora, plain_arguments, quiet, readme, recorded, save_peft, threads
from holdfast.adapters.training.store import CARD
from holdfast.adapters.training.tokenised import TokenisedDialogues, TrainedOn, tokenise
from holdfast.agents.models.local.adapter_folder import WEIGHTS_FILE
from holdfast.agents.models.local.loading import open_tokenizer, open_weights
from holdfast.agents.models.spec import TODAY
from holdfast.core.hashing import file_sha256, weights_sha256


@dataclass(frozen=True, slots=True)
class AdapterJob:
    """One adapter to train. ``base_name``: what its files call the base, e.g. a hub id; never a path.

    ``today``: what a chat template is told that asks for the date.
    """

    name: str
    base: Path
    base_name: str
    dialogues: Path
    out: Path
    seed: int
    today: date = TODAY


@dataclass(frozen=True, slots=True)
class TrainedAdapter:
    """A trained adapter. Losses: nats per assistant token at the first and the last step. ``seconds``: wall clock."""

    name: str
    path: Path
    sha256: str
    trained_on: TrainedOn
    first_loss: float
    final_loss: float
    steps: int
    seconds: float


def read_dialogues(job: AdapterJob, config: TrainingConfig) -> TokenisedDialogues:
    """Read the dialogues of ``job`` as tokens; :func:`train_adapter` learns from them.

    Raises:
        InputError: the dialogues cannot be read, or ``max_length`` cuts every one of them before its first reply.
        ModelError: the base's tokenizer cannot be read, or its chat template does not mark the assistant's tokens.
    """
    return tokenise(read_jsonl(job.dialogues), job.base, config.max_length, job.dialogues, job.today)


def train_adapter(
    job: AdapterJob,
    config: TrainingConfig,
    data: TokenisedDialogues | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> TrainedAdapter:
    """Train one adapter and write its folder ``job.out``, replacing what is there.

    ``data``: from :func:`read_dialogues`, which reads them where None. ``on_step(done, total)`` is called after each
    step.

    Raises:
        InputError, ModelError: see :func:`read_dialogues`; or the base cannot be loaded.
    """
    started = time.perf_counter()
    data = data or read_dialogues(job, config)
    with quiet(), threads(config.threads), tempfile.TemporaryDirectory(prefix="holdfast-") as scratch:
        trainer = build_sft_trainer(job, config, data, scratch)
        losses = recorded(trainer, on_step, config.steps)
        _save(trainer, job)
    first, final = losses[0], losses[-1]
    (job.out / CARD).write_text(_card(job, config, data, first, final), encoding="utf-8")
    return TrainedAdapter(
        name=job.name,
        path=job.out,
        sha256=file_sha256(job.out / WEIGHTS_FILE),
        trained_on=data.trained_on,
        first_loss=first,
        final_loss=final,
        steps=config.steps,
        seconds=time.perf_counter() - started,
    )


def build_sft_trainer(job: AdapterJob, config: TrainingConfig, data: TokenisedDialogues, scratch: str) -> Any:
    """Return the SFTTrainer, whose loss is of the labelled tokens only. Raises ModelError: the base does not load."""
    trainer = SFTTrainer(
        model=open_weights(AutoModelForCausalLM, job.base, dtype=torch.float32),
        args=SFTConfig(**plain_arguments(config, job.seed, scratch)),
        train_dataset=Dataset.from_list(list(data.rows)),
        processing_class=open_tokenizer(job.base),
        peft_config=lora(config, task_type=TaskType.CAUSAL_LM),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _save(trainer: Any, job: AdapterJob) -> None:
    """Write the PEFT folder, replacing what is there."""
    if job.out.exists():
        shutil.rmtree(job.out)
    save_peft(trainer, job.out, job.base_name)


def _card(job: AdapterJob, config: TrainingConfig, data: TokenisedDialogues, first: float, final: float) -> str:
    """Return the whole ``README.md``; the store reads its front matter back."""
    base_sha256, dialogues_sha256 = weights_sha256(job.base), file_sha256(job.dialogues)
    passes = config.steps / -(-len(data.rows) // config.batch_size)
    rows = {
        "base": f"{job.base_name} (weights {base_sha256[:12]}…)",
        "dialogues": f"`{job.dialogues.name}` ({dialogues_sha256[:12]}…)",
        "trained on": f"{data.trained_on}; tokens of replies",
        "left out": data.trained_on.lost or "nothing",
        "personas trained on": ", ".join(sorted({dialogue.persona for dialogue in data.dialogues})),
        "LoRA": f"rank {config.rank}, alpha {config.alpha}, on all linear layers but the output's",
        "training": f"{config.steps} steps of {config.batch_size} dialogues (each seen {passes:.1f} times), AdamW, "
        f"learning rate {config.learning_rate:g} falling to 0, seed {job.seed}",
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
    stored["trained_on"] = asdict(data.trained_on)
    return readme(job.base_name, "text-generation", "sft", (intro, outro), rows, holdfast=stored)
