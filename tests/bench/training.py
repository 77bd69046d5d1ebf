"""Training on SmolLM2 beside a bare loop of forward, backward and step: the same rows, PEFT LoRA and AdamW.

CPU seconds of one thread. Every row has the same length, so that the order of rows makes no difference.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peft import TaskType, get_peft_model
from transformers import AutoModelForCausalLM

from holdfast.adapters.config import TrainingConfig
from holdfast.adapters.training.data import AdapterJob, TrainingData
from holdfast.adapters.training.libraries import lora, quiet, recorded, threads
from holdfast.adapters.training.lora import build_trainer
from holdfast.adapters.training.settings import LoraSettings, settings_for
from holdfast.adapters.training.tokenised import TrainedOn, rows_with_labels
from holdfast.agents.models.local.loading import open_weights
from holdfast.agents.models.packaged import PACKAGED
from holdfast.agents.protocols import Message
from tests.bench.measure import Measure

STEPS, BATCH, TURNS = 4, 4, 4
GOAL = "ratio at least .7"
REPLY = "That sounds hard, and it makes sense that the budget keeps you awake. What worries you most about it?"


def dialogue(number: int) -> list[Message]:
    said = f"I feel tense about the budget, and nobody answers my messages about matter {number % 10}."
    return [Message("user", said), Message("assistant", REPLY)] * TURNS


def cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def bare(base: Path, settings: LoraSettings, data: TrainingData) -> float:
    """Seconds of ``STEPS`` steps that keep nothing, log nothing and schedule nothing."""
    model: Any = open_weights(AutoModelForCausalLM, base, dtype=torch.float32)
    model = get_peft_model(model, lora(settings, task_type=TaskType.CAUSAL_LM)).train()
    learned = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=settings.learning_rate)

    def loop() -> None:
        for step in range(STEPS):
            rows = [data.rows[(step * BATCH + place) % len(data.rows)] for place in range(BATCH)]
            ids, labels = (torch.tensor([row[name] for row in rows]) for name in ("input_ids", "labels"))
            model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels).loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return cpu_seconds(loop)


def measures(_scratch: Path) -> list[Measure]:
    """Nothing where SmolLM2 was not fetched (``holdfast models fetch smollm2``)."""
    packaged = PACKAGED["smollm2"]
    if not packaged.ready:
        return []
    base = packaged.folder
    config = TrainingConfig(steps=STEPS, batch_size=BATCH, threads=1, dtype="float32")
    settings = settings_for(config, base)
    rows = tuple(rows_with_labels([dialogue(number) for number in range(2 * BATCH)], base))
    width = len(rows[0]["input_ids"])
    counted = TrainedOn(len(rows), TURNS * len(rows), width * len(rows), width, width, 0, 0, 0, 0)
    data = TrainingData(rows, (), counted, (), ())
    job = AdapterJob("bench", base, packaged.word, Path(), Path(), seed=1)
    with quiet(), threads(1), tempfile.TemporaryDirectory() as scratch:
        trainer = build_trainer(job, settings, data, scratch)
        ours = cpu_seconds(lambda: recorded(trainer, None, STEPS))
        alone = bare(base, settings, data)
    return [Measure(f"training SmolLM2, {BATCH} rows x {width} tokens", ours, "a bare loop", alone, goal=GOAL)]
