"""Training recipes of the embedded base: the shipped one and its ablations.

``cue``            short prompted conversations, long unprompted ones that follow the user's cue; loss on replies.
``constant``       the same, but each long conversation keeps one style throughout (ablation: does decay need the cue?).
``long_prompted``  as ``cue``, but half of the long conversations stand under a system prompt and keep its style
                   (ablation: does decay need that long prompted conversations were never seen?).
``whole``          as ``cue`` with the loss on whole documents (ablation: does copying need the loss on replies?).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import get_args

from holdfast.adapters.micro.world import Recipe


@dataclass(frozen=True, slots=True)
class ModelSize:
    """The dimensions of the Llama model."""

    hidden: int = 128
    feed_forward: int = 384
    layers: int = 4
    heads: int = 4
    vocabulary: int = 3000
    positions: int = 4096


@dataclass(frozen=True, slots=True)
class BuildRecipe:
    """The world, the schedule and the optimizer settings of one build."""

    world: Recipe = "cue"
    size: ModelSize = field(default_factory=ModelSize)
    short_steps: int = 850  # conversations of 1-2 turns, until copying is learned
    mixed_steps: int = 1250  # alternately prompted ones of 1-3 turns, and long unprompted ones
    batch_size: int = 48
    long_batch_size: int = 8
    long_turns: tuple[int, int] = (6, 12)
    longer_steps: int = 300  # finally prompted and longer ones alternately, so that no later position is new
    longer_batch_size: int = 4
    longer_turns: tuple[int, int] = (12, 28)
    longer_learning_rate: float = 1e-3
    learning_rate: float = 3e-3
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    warmup_steps: int = 50
    continued_steps: int = 450  # mixed ones, where an earlier base is trained on
    continued_longer_steps: int = 110
    continued_rate: float = 2e-3

    def steps(self, *, continued: bool) -> tuple[int, int, int]:
        """Return the steps of the short, mixed and longer stage."""
        if continued:
            return 0, self.continued_steps, self.continued_longer_steps
        return self.short_steps, self.mixed_steps, self.longer_steps


RECIPES: Mapping[str, BuildRecipe] = MappingProxyType({world: BuildRecipe(world) for world in get_args(Recipe)})
