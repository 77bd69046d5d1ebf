"""Preference pairs as JSON lines in TRL's conversational format, with the persona of each.

``prompt``, ``chosen`` and ``rejected`` are lists of messages, as ``RewardTrainer`` and ``DPOTrainer`` read them;
``persona`` groups the pairs that must stay together when people are held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from holdfast.adapters.dialogues.export import ChatLine
from holdfast.core.errors import InputError
from holdfast.core.jsonl import read_lines
from holdfast.core.seeds import derive_seed


class PreferencePair(BaseModel):
    """One line. ``margin``: how much better ``source`` scored the chosen reply; other keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: Annotated[tuple[ChatLine, ...], Field(min_length=1)]
    chosen: Annotated[tuple[ChatLine, ...], Field(min_length=1, max_length=1)]
    rejected: Annotated[tuple[ChatLine, ...], Field(min_length=1, max_length=1)]
    persona: Annotated[str, Field(min_length=1)]
    task: str = ""
    margin: float | None = None
    source: str = ""  # who preferred: a rater with its version, or people

    @model_validator(mode="after")
    def _a_choice(self) -> PreferencePair:
        if self.prompt[-1].role != "user":
            raise ValueError("prompt must end with what the user said")
        if any(line.role != "assistant" for line in (*self.chosen, *self.rejected)):
            raise ValueError("chosen and rejected must be messages of the assistant")
        if self.chosen == self.rejected:
            raise ValueError("chosen and rejected are the same")
        return self


def read_preference_pairs(path: Path) -> tuple[PreferencePair, ...]:
    """Read a file of pairs. Raises InputError with the line of each fault, 20 at most."""
    return read_lines(path, PreferencePair, "holds no pair; each line is {prompt, chosen, rejected, persona}", most=20)


def hold_out(
    pairs: Sequence[PreferencePair], seed: int, share: float = 0.25
) -> tuple[list[PreferencePair], list[PreferencePair]]:
    """Split pairs into those to train on and those of ``share`` of the personas (at least one), held out for the test.

    Raises:
        InputError: there is no pair, or only one persona.
    """
    people = sorted({pair.persona for pair in pairs}, key=lambda name: derive_seed(seed, "hold out", name))
    if not people:
        raise InputError("no two replies lay far enough apart to make a pair; lower min_margin, or use another model")
    if len(people) < 2:
        raise InputError("the pairs are all of one persona; two or more are needed, to hold one out for the test")
    out = set(people[: max(1, round(share * len(people)))])
    return [pair for pair in pairs if pair.persona not in out], [pair for pair in pairs if pair.persona in out]
