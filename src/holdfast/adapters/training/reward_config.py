"""Settings of a reward model: how its pairs are drawn and how it is trained."""

from typing import Annotated

from pydantic import Field

from holdfast.adapters.config import Count
from holdfast.personas.schema import Frozen, Share


class RewardTraining(Frozen):
    """Settings of pairs and training. The paper names none: all are holdfast's assumption (see docs/LOG.md)."""

    # pairs
    dialogues_per_persona: Count = 3
    turns: Annotated[int, Field(ge=1, le=64)] = 6
    samples: Annotated[int, Field(ge=1, le=16)] = 2  # replies drawn per turn, with and without the prompt each
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.7
    max_tokens: Count = 96
    min_margin: Share = 0.2  # of adherence, between the chosen and the rejected
    concurrency: Count = 64  # dialogues simulated at once
    # the model
    rank: Count = 8
    alpha: Count = 16
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    steps: Count = 100
    batch_size: Count = 8
    max_length: Annotated[int, Field(ge=32)] = 1024  # tokens; longer pairs are left out
    threads: Annotated[int, Field(ge=1, le=256)] = 2  # CPU threads; the trained bytes depend on it
