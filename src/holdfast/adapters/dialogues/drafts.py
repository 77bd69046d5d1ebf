"""Dialogues on disk from the moment they are finished, so that a training that stops loses none.

A file of JSON lines: the first says what all of them follow from, each other one is a dialogue with every reply that
was drawn for it, the discarded ones with their flaws. Numbers are kept exactly, so a training that goes on from drafts
writes the bytes of one that never stopped.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from holdfast.adapters.dialogues.filtering import Flaw
from holdfast.adapters.dialogues.steering import DialoguePlan, DrawnReply, SteeredDialogue, SteeredTurn, hold_dialogue
from holdfast.adapters.progress import all_of
from holdfast.agents.protocols import ChatModel
from holdfast.agents.raters.adherence import adherence_of
from holdfast.agents.raters.protocol import EXPRESSED, Failure, Rater, Rating
from holdfast.agents.users.protocol import Intention
from holdfast.core.errors import JournalError, TakenError
from holdfast.core.jsonl import append_line, whole_lines
from holdfast.core.wording import how_many

DRAFTS = "drafts.jsonl"


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Head(_Line):
    """The first line. ``inputs``: what the dialogues follow from, each part as text or as a hash."""

    drafts: Literal[1] = 1
    inputs: dict[str, str]


class _DraftedReply(_Line):
    reply: str
    values: dict[str, float]
    missing: str | None
    disqualified: Failure | None
    evidence: str
    flaws: tuple[Flaw, ...]
    seed: int
    tokens: tuple[int, int]


class _DraftedTurn(_Line):
    user: str
    said: Intention
    best: int
    replies: tuple[_DraftedReply, ...]


class _Draft(_Line):
    id: str
    persona: str
    seed: int
    turns: tuple[_DraftedTurn, ...]


class Drafts:
    """The finished dialogues in one file. One writer at a time: the run folder is locked."""

    def __init__(self, file: Path, inputs: Mapping[str, str]) -> None:
        """Read the drafts of ``file``, or begin it; half a line at its end is cut off.

        Raises:
            JournalError: its drafts follow from something else, or it cannot be read or written.
        """
        self._file = file
        self._kept: dict[str, _Draft] = {}
        head = _Head(inputs=dict(inputs))
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            lines = whole_lines(file)
            if not lines:
                self._append(head)
        except OSError as error:
            raise JournalError(f"{file}: cannot be read or written ({error.strerror or error})") from error
        if lines:
            self._read(lines, head)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, plan: DialoguePlan) -> SteeredDialogue | None:
        """Return the finished dialogue of ``plan``; None where there is none."""
        draft = self._kept.get(plan.id)
        if draft is None or (draft.seed, len(draft.turns)) != (plan.seed, plan.turns):
            return None
        return SteeredDialogue(plan, tuple(_turn(plan, number, turn) for number, turn in enumerate(draft.turns, 1)))

    def add(self, dialogue: SteeredDialogue) -> None:
        """Keep a finished dialogue; one that failed is drafted anew the next time.

        Raises:
            JournalError: it cannot be written.
        """
        if dialogue.error is not None:
            return
        plan = dialogue.plan
        turns = tuple(map(_drafted_turn, dialogue.turns))
        try:
            self._append(_Draft(id=plan.id, persona=plan.agent.persona.id, seed=plan.seed, turns=turns))
        except OSError as error:
            raise JournalError(
                f"{self._file}: cannot be written ({error.strerror or error}); the {how_many(len(self), 'dialogue')} "
                "in it are kept: put that right and train again"
            ) from error

    def _append(self, line: _Line) -> None:
        append_line(self._file, line.model_dump_json())
        if isinstance(line, _Draft):
            self._kept[line.id] = line

    def _read(self, lines: Sequence[bytes], head: _Head) -> None:
        try:
            before = _Head.model_validate_json(lines[0])
            self._kept = {draft.id: draft for draft in map(_Draft.model_validate_json, lines[1:])}
        except ValidationError as error:
            raise JournalError(
                f"{self._file}: not the drafts that holdfast wrote ({error.errors()[0]['msg']}); remove the file to "
                "draft anew, or choose another --out"
            ) from error
        names = sorted({*before.inputs, *head.inputs})
        changed = [name for name in names if before.inputs.get(name) != head.inputs.get(name)]
        if changed:
            raise TakenError(
                f"{self._file}: its {how_many(len(self._kept), 'dialogue')} follow from something else: "
                f"{', '.join(changed)} changed. Change it back, remove the file to draft anew, or choose another --out"
            )


async def hold_dialogues(
    plans: Sequence[DialoguePlan],
    model: ChatModel,
    rater: Rater,
    concurrency: int,
    on_turn: Callable[[int, int], None] | None = None,
    drafts: Drafts | None = None,
) -> list[SteeredDialogue]:
    """Simulate many dialogues, ``concurrency`` at a time, and return them in the order of the plans.

    ``on_turn(turns done, turns of all plans)`` is called at once and after each turn; those that a failure leaves out
    are done too. What ``drafts`` has is not held again; what is finished goes there.

    Raises:
        JournalError: a finished dialogue cannot be written.
    """
    turns, done = sum(plan.turns for plan in plans), 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if on_turn is not None:
            on_turn(done, turns)

    async def work(plan: DialoguePlan) -> SteeredDialogue:
        before = None if drafts is None else drafts.get(plan)
        if before is not None:
            advance(plan.turns)
            return before
        dialogue = await hold_dialogue(plan, model, rater, partial(advance, 1))
        if missing := plan.turns - len(dialogue.turns):
            advance(missing)
        if drafts is not None:
            drafts.add(dialogue)
        return dialogue

    advance(0)
    return await all_of(work, plans, concurrency)


def _drafted_turn(turn: SteeredTurn) -> _DraftedTurn:
    replies = tuple(
        _DraftedReply(
            reply=sample.reply,
            values=dict(sample.rating.values),
            missing=sample.rating.missing,
            disqualified=sample.rating.disqualified,
            evidence=sample.rating.evidence,
            flaws=sample.flaws,
            seed=sample.seed,
            tokens=sample.tokens,
        )
        for sample in turn.samples
    )
    return _DraftedTurn(user=turn.user, said=turn.said, best=turn.best, replies=replies)


def _turn(plan: DialoguePlan, number: int, turn: _DraftedTurn) -> SteeredTurn:
    return SteeredTurn(number, turn.user, turn.said, tuple(_sample(plan, reply) for reply in turn.replies), turn.best)


def _sample(plan: DialoguePlan, draft: _DraftedReply) -> DrawnReply:
    rating = Rating(draft.values, draft.missing, draft.evidence, disqualified=draft.disqualified)
    near = float(adherence_of([rating], plan.standard.target.as_array(), EXPRESSED)[0])
    return DrawnReply(draft.reply, rating, near, draft.flaws, draft.seed, draft.tokens)
