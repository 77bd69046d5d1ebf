"""Settings of training: which dialogues to write, and how to fit an expert or a reward model to them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from holdfast.agents.models.spec import AnyModelSpec
from holdfast.agents.raters.registry import AnyRaterSpec
from holdfast.personas.schema import Frozen, Id, Share

Count = Annotated[int, Field(ge=1)]
#: What older studies meant where they were silent, and what they did not know.
_MEANT = {"rank": 8, "alpha": 16, "learning_rate": 3e-3, "steps": 60}
_NEW = frozenset({"held_out_share", "examples", "retries", "method", "patience", "beta", "dtype", "replicates"})


class TrainingConfig(Frozen):
    """A study's ``training`` section: the pipeline steer -> filter -> split -> export -> train.

    The paper names neither its LoRA settings nor its best-of-n or threshold: every default here is holdfast's
    assumption, chosen for the embedded model (see docs/LOG.md).
    """

    #: The settings that a single dialogue's words follow from.
    OF_A_DIALOGUE: ClassVar[frozenset[str]] = frozenset(
        {
            "examples",
            "retries",
            "samples",
            "turns",
            "temperature",
            "max_tokens",
            "min_adherence",
            "rater",
            "held_out_share",
        }
    )

    patterns: tuple[Id, ...] = ()  # one expert each; empty: every pattern that a task of the study asks for
    # dialogues
    model: AnyModelSpec | None = None  # writes them, steered by a prompt; None: the model that is trained
    rater: AnyRaterSpec | None = None  # picks and filters replies; None: the study's first, which then judges too
    dialogues_per_pattern: Count = 48
    turns: Annotated[int, Field(ge=2, le=64)] = 6
    examples: bool | None = None  # steer by example exchanges too; None: where the writer is not the embedded model
    samples: Annotated[int, Field(ge=1, le=64)] = 4  # replies drawn per turn; the best that passes the gate is kept
    retries: Annotated[int, Field(ge=0, le=16)] = 3  # as many again while none is usable; not of the embedded model
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.7
    max_tokens: Count = 96
    min_adherence: Share = 0.7  # a turn below it ends the usable part of its dialogue
    min_turns: Count = 3  # a dialogue with fewer usable turns is dropped
    concurrency: Count = 64  # dialogues simulated at once
    # the split: personas, with their topics and needs; a share of feelings and of sentence frames (names aside)
    held_out_per_task: Count = 1
    held_out_share: Annotated[float, Field(ge=0, lt=1)] = 0.0  # in no dialogue; for models whose sentences recur
    split_seed: int = 0
    # the LoRA; None: by the base's size, see adapters/training/settings.py
    method: Literal["sft", "dpo"] = "sft"  # learn the kept replies, or prefer them to discarded ones
    rank: Count | None = None
    alpha: Count | None = None
    learning_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    steps: Count | None = None
    patience: Annotated[int, Field(ge=0, le=1000)] | None = None  # looks at a held-out loss that fell no more; 0: none
    beta: Annotated[float, Field(gt=0, le=10)] = 0.1  # of DPO: how near it stays to the base
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"  # of the base; auto: bfloat16 where the CPU has it
    batch_size: Count = 8
    max_length: Annotated[int, Field(ge=32)] = 2048  # tokens of a dialogue; longer ones are cut at their end
    threads: Annotated[int, Field(ge=1, le=256)] = 2  # CPU threads; the trained bytes depend on it
    replicates: Annotated[int, Field(ge=1, le=20)] = 1  # trainings of each adapter: the same dialogues, other seeds

    def as_hashed(self) -> dict[str, Any]:
        """Return the settings for a study's hash, in which what older studies could not say stands as they meant it."""
        said = self.model_dump(mode="json")
        meant = {name: _MEANT.get(name) if value is None else value for name, value in said.items()}
        defaults = type(self).model_fields
        return {name: meant[name] for name in said if name not in _NEW or said[name] != defaults[name].default}

    @model_validator(mode="after")
    def _enough_turns(self) -> TrainingConfig:
        if self.min_turns > self.turns:
            raise ValueError(
                f"min_turns is {self.min_turns}, above turns ({self.turns}): every dialogue would be dropped"
            )
        if len(set(self.patterns)) != len(self.patterns):
            raise ValueError(f"patterns names one twice: {', '.join(self.patterns)}")
        return self


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
