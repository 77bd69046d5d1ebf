"""Training dialogues as JSON lines in the standard ``messages`` format, with their provenance.

``datasets``, TRL, Axolotl and LLaMA-Factory read ``messages`` as it is; everything else on the line is provenance.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from holdfast.adapters.dialogues.filtering import usable_turns
from holdfast.adapters.dialogues.steering import SteeredDialogue
from holdfast.core.jsonl import read_lines


class _StrictModel(BaseModel):
    """Immutable, refuses unknown keys, and keeps white space in messages."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ChatLine(_StrictModel):
    """One message as chat templates take it."""

    role: Literal["user", "assistant"]
    content: str


class ModelOrigin(_StrictModel):
    """The model that wrote the replies. ``sha256``: of its local weight files; None for served models."""

    id: str
    sha256: str | None = None


class RaterOrigin(_StrictModel):
    """The rater that selected and filtered the replies."""

    id: str
    version: str


class TurnOrigin(_StrictModel):
    """The user's intention in one turn and the rating of the reply: expressed levels 0-2, adherence 0-1."""

    turn: Annotated[int, Field(ge=1)]
    said: dict[str, str | None]
    expressed: dict[str, float]
    adherence: float
    seed: int


class Origin(_StrictModel):
    """Provenance that all dialogues of one file share. ``prompt_sha256``: of the removed system prompt."""

    pattern: str
    split: Literal["train"] = "train"
    split_seed: int
    samples: int
    min_adherence: float
    held_out_share: float = 0.0  # of feelings and sentence frames: in none of these dialogues
    prompt_sha256: str
    model: ModelOrigin
    rater: RaterOrigin


class TrainingDialogue(_StrictModel):
    """One line of the file. ``messages`` begins with the user, alternates, and ends with the assistant."""

    schema_version: Literal[1] = 1
    id: str
    persona: str
    task: str
    seed: int
    messages: Annotated[tuple[ChatLine, ...], Field(min_length=2)]
    turns: tuple[TurnOrigin, ...]
    origin: Origin


def distil(dialogue: SteeredDialogue, origin: Origin) -> TrainingDialogue:
    """Return the usable turns of ``dialogue`` without the system prompt that steered them."""
    turns = dialogue.turns[: usable_turns([turn.flaws for turn in dialogue.turns])]
    persona = dialogue.plan.agent.persona
    return TrainingDialogue(
        id=dialogue.plan.id,
        persona=persona.id,
        task=persona.task,
        seed=dialogue.plan.seed,
        messages=tuple(
            line
            for turn in turns
            for line in (ChatLine(role="user", content=turn.user), ChatLine(role="assistant", content=turn.reply))
        ),
        turns=tuple(
            TurnOrigin(
                turn=turn.turn,
                said=asdict(turn.said),
                expressed={name: round(level, 4) for name, level in turn.rating.values.items()},
                adherence=round(turn.adherence, 4),
                seed=turn.seed,
            )
            for turn in turns
        ),
        origin=origin,
    )


def read_jsonl(path: Path) -> tuple[TrainingDialogue, ...]:
    """Read a file of training dialogues, written by holdfast or by hand. Raises InputError with every fault's line."""
    return read_lines(path, TrainingDialogue, "holds no dialogue; write some with `holdfast train`")
