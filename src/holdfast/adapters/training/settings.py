"""How adapters are trained where a study does not say: by the size of the base, which is holdfast's assumption.

The paper names no LoRA settings. The embedded model's are those that it was tried with (docs/LOG.md); for larger models
rank and learning rate follow common practice: the larger the model, the smaller the steps. Nothing here was searched
for on results.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from holdfast.adapters.config import TrainingConfig
from holdfast.agents.models.local.loading import open_config
from holdfast.agents.models.local.safetensors_files import parameters_in

Dtype = Literal["float32", "bfloat16"]
EVALUATE_EVERY = 10  # steps between two looks at the held-out loss
HELD_OUT_SHARE = 0.15  # of the people whose dialogues are learned from; theirs decide when to stop
TOKENS_A_PASS = 2048  # read at once; a larger batch is summed from several passes, so memory does not grow with it


@dataclass(frozen=True, slots=True)
class _BySize:
    """Defaults for bases of fewer ``parameters``. Learning rates: of SFT, of DPO; ``patience`` 0: no early stop."""

    parameters: float
    rank: int
    learning_rate: tuple[float, float]
    steps: int
    patience: int


#: holdfast's assumptions. The first row is the embedded model's, whose few sentences leave nothing to hold out.
BY_SIZE = (
    _BySize(10e6, rank=8, learning_rate=(3e-3, 1e-3), steps=60, patience=0),
    _BySize(400e6, rank=16, learning_rate=(1e-3, 2e-4), steps=120, patience=3),
    _BySize(2e9, rank=16, learning_rate=(5e-4, 1e-4), steps=120, patience=3),
    _BySize(math.inf, rank=16, learning_rate=(2e-4, 5e-5), steps=200, patience=3),
)


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """Settings of one training, none left open.

    ``patience``: evaluations without a lower held-out loss before it stops; 0: it goes on to its last step and nothing
    is held out. ``dtype``: of the frozen base; the LoRA is float32. ``assumed``: which settings the size decided.
    """

    method: Literal["sft", "dpo"]
    rank: int
    alpha: int
    learning_rate: float
    steps: int
    batch_size: int
    max_length: int
    threads: int
    patience: int
    dtype: Dtype
    beta: float
    small: bool  # a base that reads a whole batch at once
    assumed: tuple[str, ...]

    def rows_a_pass(self, longest: int) -> int:
        """Return how many of a batch's rows are read at once, where the longest has so many tokens."""
        if self.small:
            return self.batch_size
        fit = max(1, TOKENS_A_PASS // max(1, longest))
        return max(rows for rows in range(1, self.batch_size + 1) if self.batch_size % rows == 0 and rows <= fit)


def settings_for(config: TrainingConfig, base: Path) -> LoraSettings:
    """Return the settings of a training of the model in the folder ``base``.

    Raises:
        InputError: there is no model.
        ModelError: its weights cannot be read.
    """
    open_config(base)
    return settings_of_size(config, parameters_in(base))


def settings_of_size(config: TrainingConfig, parameters: int) -> LoraSettings:
    """Return the settings for a base of so many parameters: what the study says, else :data:`BY_SIZE`."""
    size = next(row for row in BY_SIZE if parameters < row.parameters)
    small = size is BY_SIZE[0]
    rate = size.learning_rate[config.method == "dpo"]
    rank = config.rank or size.rank
    left_open = ("rank", "alpha", "learning_rate", "steps", "patience")
    dtype = config.dtype
    if dtype == "auto":
        dtype = "bfloat16" if not small and native_bfloat16() else "float32"
    return LoraSettings(
        method=config.method,
        rank=rank,
        alpha=config.alpha or 2 * rank,
        learning_rate=config.learning_rate or rate,
        steps=config.steps or size.steps,
        batch_size=config.batch_size,
        max_length=config.max_length,
        threads=config.threads,
        patience=size.patience if config.patience is None else config.patience,
        dtype=dtype,
        beta=config.beta,
        small=small,
        assumed=tuple(name for name in left_open if getattr(config, name) is None),
    )


def native_bfloat16() -> bool:
    """Return whether this CPU multiplies bfloat16 itself, by AVX-512 or AMX; others only imitate it, slowly."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
