"""What all training here shares: TRL arguments, no bars of libraries, recorded losses, fixed threads, the PEFT folder
with its card."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
import torch
import transformers
import yaml
from peft import LoraConfig
from transformers import TrainerCallback

from holdfast.adapters.config import RewardTraining
from holdfast.adapters.training.settings import LoraSettings
from holdfast.agents.models.local.adapter_folder import SETTINGS_FILE


class Losses(TrainerCallback):  # type: ignore[misc]  # transformers is untyped here
    """Records each step's loss and reports progress."""

    def __init__(self, on_step: Callable[[int, int], None] | None, steps: int) -> None:
        self.values: list[float] = []
        self._on_step = on_step
        self._steps = steps

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.values.append(float(logs["loss"]))
            if self._on_step is not None:
                self._on_step(len(self.values), self._steps)


def plain_arguments(
    config: LoraSettings | RewardTraining, seed: int, scratch: str, rows: int | None = None, bf16: bool = False
) -> dict[str, Any]:
    """Return common arguments of the TRL trainers: a number of steps on the CPU, nothing saved or reported.

    ``rows``: of a batch that are read at once, their gradients summed to the batch's; None: all.
    """
    rows = rows or config.batch_size
    return {
        "output_dir": scratch,
        "max_length": config.max_length,
        "max_steps": config.steps,
        "per_device_train_batch_size": rows,
        "per_device_eval_batch_size": rows,
        "gradient_accumulation_steps": config.batch_size // rows,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "linear",
        "seed": seed % 2**32,
        "use_cpu": True,
        "bf16": bf16,  # TRL's default is mixed precision, slow and coarse on a CPU that imitates it
        "gradient_checkpointing": False,  # TRL's default trades time for memory that a small model does not need
        "dataloader_pin_memory": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def lora(config: LoraSettings | RewardTraining, **more: Any) -> LoraConfig:
    """Return a LoRA on all linear layers but the output's."""
    return LoraConfig(r=config.rank, lora_alpha=config.alpha, lora_dropout=0.0, target_modules="all-linear", **more)


def recorded(trainer: Any, on_step: Callable[[int, int], None] | None, steps: int) -> list[float]:
    """Train; return the loss of each step."""
    losses = Losses(on_step, steps)
    trainer.add_callback(losses)
    trainer.train()
    return losses.values


def save_peft(trainer: Any, out: Path, base_name: str) -> None:
    """Write the PEFT folder; its config is sorted and names the base without its path, to be reproducible."""
    trainer.model.save_pretrained(out, safe_serialization=True, save_embedding_layers=False)
    path = out / SETTINGS_FILE
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base_name
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def readme(base: str, task: str, kind: str, texts: tuple[str, str], rows: Mapping[str, str], **front: Any) -> str:
    """Return a model card: front matter, what it is, a table, a warning. It holds no date, to be reproducible."""
    tags = ["lora", kind, "trl", "empathy", "holdfast"]
    front = {"base_model": base, "library_name": "peft", "pipeline_tag": task, "tags": tags, **front}
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return (
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n\n{texts[0]}\n\n| | |\n|---|---|\n{table}\n\n{texts[1]}\n"
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the libraries' progress bars within the block, and their warnings about each other's future."""
    bars = transformers.logging.is_progress_bar_enabled(), datasets.are_progress_bars_disabled()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        if bars[0]:
            transformers.logging.enable_progress_bar()
        if not bars[1]:
            datasets.enable_progress_bars()


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Fix the number of threads within the block: it changes the order of sums, and so the trained bytes."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
