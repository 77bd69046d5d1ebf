"""A reward model: a scalar head on the base with a LoRA, fitted on pairwise preferences (TRL's RewardTrainer, PEFT).

The loss is that of Bradley and Terry (1952) as in Ouyang et al. (2022, arXiv 2203.02155):
``-log sigmoid(reward of chosen - reward of rejected)``. This is the "learning-based" kind of Shayegani et al. (2025,
arXiv 2511.03143).
"""

import json
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from peft import TaskType
from transformers import PrinterCallback, set_seed
from trl import RewardConfig, RewardTrainer

from holdfast.adapters.config import RewardTraining
from holdfast.adapters.dialogues.preferences import PreferencePair
from holdfast.adapters.training.libraries import lora, plain_arguments, quiet, readme, recorded, save_peft, threads
from holdfast.adapters.training.store import CARD
from holdfast.agents.models.local.adapter_folder import SETTINGS_FILE, WEIGHTS_FILE
from holdfast.agents.protocols import Message
from holdfast.agents.raters.reward import SCORE, SETTINGS, RewardModel, load_base
from holdfast.core.errors import InputError, ModelError
from holdfast.core.hashing import weights_sha256
from holdfast.core.wording import how_many

PAIRS = "pairs.jsonl"  # beside the model, where its pairs were simulated
_OURS = {SETTINGS_FILE, WEIGHTS_FILE, CARD, SETTINGS, PAIRS}


@dataclass(frozen=True, slots=True)
class RewardJob:
    """One reward model to train. ``base_name``: what its files call the base, never a path."""

    base: Path
    base_name: str
    out: Path
    seed: int


@dataclass(frozen=True, slots=True)
class TrainedReward:
    """A trained reward model. Losses: nats per pair at the first and the last step."""

    path: Path
    sha256: str
    pairs: int
    left_out: int  # longer than max_length
    first_loss: float
    final_loss: float
    steps: int


def train_reward(
    job: RewardJob,
    config: RewardTraining,
    pairs: Sequence[PreferencePair],
    on_step: Callable[[int, int], None] | None = None,
) -> TrainedReward:
    """Fit the head and the LoRA on ``pairs`` and write the folder ``job.out``, replacing what is there.

    Raises:
        InputError: no pair is short enough, or ``job.out`` holds something else than a reward model.
        ModelError: the base cannot be loaded, or the loss is not finite.
    """
    require_ours(job.out)
    with quiet(), threads(config.threads), tempfile.TemporaryDirectory(prefix="holdfast-") as scratch:
        trainer, used, left_out = build_reward_trainer(job, config, pairs, scratch)
        if left_out:
            warnings.warn(f"{job.out}: {left_out}", stacklevel=2)
        losses = recorded(trainer, on_step, config.steps)
        if not np.isfinite(losses).all():
            raise ModelError(f"the loss became no number; lower the learning rate (now {config.learning_rate:g})")
        _save(trainer, job)
    model = RewardModel.load(job.out, job.base)
    settings = {
        "base": job.base_name,
        "base_sha256": weights_sha256(job.base),
        "mean_reward": float(model.rewards(_dialogues(used)).mean()),  # what "an average reply" means to the rater
        "pairs": len(used),
        "pairs_left_out": len(pairs) - len(used),
        "personas": sorted({pair.persona for pair in used}),
        "sources": sorted({pair.source for pair in used if pair.source}),
        "seed": job.seed,
        "config": config.model_dump(mode="json"),
    }
    (job.out / SETTINGS).write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    card = _card(settings, config, losses[0], losses[-1], left_out)
    (job.out / CARD).write_text(card, encoding="utf-8")
    trained_on = len(used), len(pairs) - len(used)
    return TrainedReward(job.out, model.version, *trained_on, losses[0], losses[-1], config.steps)


def build_reward_trainer(
    job: RewardJob, config: RewardTraining, pairs: Sequence[PreferencePair], scratch: str
) -> tuple[Any, list[PreferencePair], str]:
    """Return the RewardTrainer, the pairs that it learns from, and in words what is left out.

    The head starts at 0, so that no reply is preferred before training. Pairs longer than ``max_length`` tokens are
    left out: cut, both replies of one would be the same.

    Raises:
        InputError: every pair is too long.
        ModelError: the base cannot be loaded.
    """
    set_seed(job.seed % 2**32)
    model, reader = load_base(job.base)
    torch.nn.init.zeros_(model.score.weight)
    tokens = [reader.tokens(dialogue) for dialogue in _dialogues(pairs)]
    lengths = [max(len(chosen), len(rejected)) for chosen, rejected in zip(tokens[::2], tokens[1::2], strict=True)]
    kept = [number for number, length in enumerate(lengths) if length <= config.max_length]
    if not kept:
        raise InputError(
            f"every pair is longer than max_length ({config.max_length} tokens): the shortest has {min(lengths):,}, "
            f"the longest {max(lengths):,}; raise it to {max(lengths)} to train on all"
        )
    left_out = (
        ""
        if len(kept) == len(pairs)
        else (
            f"{len(pairs) - len(kept)} of {how_many(len(pairs), 'pair')} left out, longer than {config.max_length:,} "
            f"tokens; the longest has {max(lengths):,}"
        )
    )
    trainer = RewardTrainer(
        model=model,
        args=RewardConfig(**plain_arguments(config, job.seed, scratch)),
        train_dataset=Dataset.from_list(
            [{"chosen_ids": tokens[2 * n], "rejected_ids": tokens[2 * n + 1]} for n in kept]
        ),
        processing_class=reader.tokenizer,
        peft_config=lora(config, modules_to_save=[SCORE], task_type=TaskType.SEQ_CLS),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer, [pairs[number] for number in kept], left_out


def require_ours(out: Path) -> None:
    """Make sure that ``out`` may be replaced; call it before training.

    Raises:
        InputError: ``out`` is a file, or holds anything but a reward model.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; choose another --out")
    foreign = sorted(path.name for path in out.iterdir() if path.name not in _OURS) if out.is_dir() else []
    if foreign:
        raise InputError(f"{out}: holds {foreign[0]}, which is no reward model's; choose another --out")


def _save(trainer: Any, job: RewardJob) -> None:
    """Write the PEFT folder, with the head among its safetensors."""
    for name in sorted({*_OURS} - {PAIRS}):
        (job.out / name).unlink(missing_ok=True)
    save_peft(trainer, job.out, job.base_name)


def _card(settings: Mapping[str, Any], config: RewardTraining, first: float, final: float, left_out: str) -> str:
    """Return the whole ``README.md``. ``settings``: the contents of ``reward.json``."""
    rows = {
        "base": f"{settings['base']} (weights {settings['base_sha256'][:12]}…)",
        "pairs": f"{settings['pairs']}, preferred by {', '.join(settings['sources']) or 'someone not named'}",
        "left out": left_out or "nothing",
        "people trained on": ", ".join(settings["personas"]),
        "LoRA": f"rank {config.rank}, alpha {config.alpha}, on all linear layers; the head is trained whole",
        "training": f"{config.steps} steps of {config.batch_size} pairs, AdamW, learning rate "
        f"{config.learning_rate:g} falling to 0, seed {settings['seed']}",
        "loss": f"{first:.3f} at first (ln 2: no reply preferred), {final:.3f} at last",
    }
    intro = (
        "# Reward model\n\nA head for one number on the base, and a LoRA, trained by holdfast so that the preferred "
        "reply of each pair is rewarded more. `reward.json` holds the mean reward of the replies that it was trained "
        "on: `sigmoid(reward - mean)` is the chance to be preferred to an average one of them."
    )
    outro = (
        "It knows what chose its pairs, nothing else: where that was another rater, the model learned that rater's "
        "taste, faults included. People named here are no test of it. Rewards of two models have no common unit."
    )
    return readme(settings["base"], "text-classification", "reward-model", (intro, outro), rows)


def right(model: RewardModel, pairs: Sequence[PreferencePair]) -> list[float]:
    """Return 1.0 for each pair whose chosen reply has the higher reward, 0.5 for a tie, 0.0 otherwise."""
    rewards = model.rewards(_dialogues(pairs)).reshape(-1, 2)
    return [0.5 if a == b else float(a > b) for a, b in rewards.tolist()]


def longer(pairs: Sequence[PreferencePair]) -> list[float]:
    """Return the same for the baseline that prefers the reply with more words."""
    words = [(len(pair.chosen[0].content.split()), len(pair.rejected[0].content.split())) for pair in pairs]
    return [0.5 if a == b else float(a > b) for a, b in words]


def _dialogues(pairs: Sequence[PreferencePair]) -> list[list[Message]]:
    """Return each pair's dialogue with the chosen reply, then with the rejected one."""
    return [
        [Message(line.role, line.content) for line in (*pair.prompt, *reply)]
        for pair in pairs
        for reply in (pair.chosen, pair.rejected)
    ]
