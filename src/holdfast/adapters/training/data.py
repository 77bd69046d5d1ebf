"""What an adapter learns from, as tokens: replies of dialogues, or pairs of a kept and a discarded reply."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self, TypeVar

from holdfast.adapters.dialogues.export import TrainingDialogue, read_jsonl
from holdfast.adapters.dialogues.preferences import PreferencePair, read_preference_pairs
from holdfast.adapters.dialogues.rejected import pairs_file
from holdfast.adapters.training.held_out import hold_out_people
from holdfast.adapters.training.settings import LoraSettings
from holdfast.adapters.training.tokenised import (
    TokenisedDialogues,
    TrainedOn,
    readable_tokens,
    reply_spans,
    rows_with_labels,
    tokenise,
)
from holdfast.agents.models.spec import TODAY
from holdfast.agents.protocols import Message
from holdfast.core.errors import InputError, ModelError

Row = dict[str, list[int]]
Item = TypeVar("Item", TrainingDialogue, PreferencePair)


@dataclass(frozen=True, slots=True)
class AdapterJob:
    """One adapter to train. ``base_name``: what its files call the base, e.g. a hub id; never a path.

    ``today``: what a chat template is told that asks for the date.
    """

    name: str
    base: Path
    base_name: str
    dialogues: Path
    out: Path
    seed: int
    today: date = TODAY


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Rows of token ids to learn from, and those of people held out to know when to stop.

    ``trained_on``: counts of the first alone; of pairs, each is counted as a dialogue whose reply is the kept one.
    ``people``, ``people_held_out``: whose they are. ``writer``: who wrote the dialogues, "" where the base did.
    ``held_out_share``: of feelings and of sentence frames, which are in no dialogue.
    """

    rows: tuple[Row, ...]
    held_out: tuple[Row, ...]
    trained_on: TrainedOn
    people: tuple[str, ...]
    people_held_out: tuple[str, ...]
    writer: str = ""
    held_out_share: float = 0.0

    @classmethod
    def of(
        cls, data: TokenisedDialogues, held_out: tuple[Row, ...] = (), people_held_out: tuple[str, ...] = ()
    ) -> Self:
        """Return what is learned from dialogues as tokens."""
        dialogues, first = data.dialogues, data.dialogues[0]
        about = _people(dialogues), people_held_out, _writer(first), first.origin.held_out_share
        return cls(data.rows, held_out, data.trained_on, *about)

    @property
    def longest(self) -> int:
        """Tokens of the longest row that is read."""
        return max(sum(len(ids) for name, ids in row.items() if name != "labels") for row in self.rows)


def dialogue_data(job: AdapterJob, settings: LoraSettings) -> TrainingData:
    """Read the dialogues of ``job``, whose replies are learned.

    Raises:
        InputError: they cannot be read, or ``max_length`` cuts every one before its first reply.
        ModelError: the base's tokenizer cannot be read, or its chat template does not mark the assistant's tokens.
    """
    dialogues = read_jsonl(job.dialogues)
    learned, out = _split(dialogues, job, settings)
    held_out = _tokens(out, job, settings).rows if out else ()
    return TrainingData.of(_tokens(learned, job, settings), held_out, _people(out))


def pair_data(job: AdapterJob, settings: LoraSettings) -> TrainingData:
    """Read the pairs beside the dialogues of ``job``. One that is longer than ``max_length`` is left out and counted:
    cut, both of its replies would be the same.

    Raises:
        InputError: they cannot be read, or none is short enough.
        ModelError: as :func:`dialogue_data`.
    """
    pairs = read_preference_pairs(pairs_file(job.dialogues))
    learned, out = _split(pairs, job, settings)
    rows, trained_on = _pair_rows(learned, job, settings)
    if not rows:
        raise InputError(
            f"{pairs_file(job.dialogues)}: every pair is longer than {trained_on.limit:,} tokens (the longest has "
            f"{trained_on.longest:,}); write max_length: {trained_on.longest} or more under 'training'"
        )
    held_out = _pair_rows(out, job, settings)[0] if out else ()
    first = read_jsonl(job.dialogues)[0]
    about = _people(learned), _people(out), _writer(first), first.origin.held_out_share
    return TrainingData(rows, held_out, trained_on, *about)


def _split(items: Sequence[Item], job: AdapterJob, settings: LoraSettings) -> tuple[list[Item], list[Item]]:
    if not settings.patience:
        return list(items), []
    return hold_out_people(items, lambda item: item.persona, job.seed)


def _tokens(dialogues: Sequence[TrainingDialogue], job: AdapterJob, settings: LoraSettings) -> TokenisedDialogues:
    return tokenise(dialogues, job.base, settings.max_length, job.dialogues, job.today)


def _pair_rows(
    pairs: Sequence[PreferencePair], job: AdapterJob, settings: LoraSettings
) -> tuple[tuple[Row, ...], TrainedOn]:
    """Return the rows of the pairs that are short enough: ids of the prompt, of the kept and of the discarded reply."""
    talks = [
        [Message(line.role, line.content) for line in (*pair.prompt, *reply)]
        for pair in pairs
        for reply in (pair.chosen, pair.rejected)
    ]
    limit, whole = readable_tokens(job.base, settings.max_length), rows_with_labels(talks, job.base, job.today)
    longest = [max(len(a["input_ids"]), len(b["input_ids"])) for a, b in zip(whole[::2], whole[1::2], strict=True)]
    parted = [_parted(a, b) for a, b in zip(whole[::2], whole[1::2], strict=True)]
    rows = tuple(row for row, length in zip(parted, longest, strict=True) if length <= limit)
    tokens, out = sum(len(row["chosen_ids"]) for row in rows), len(parted) - len(rows)
    left_out = sum(len(row["chosen_ids"]) for row in parted) - tokens
    return rows, TrainedOn(len(rows), len(rows), tokens, limit, max(longest), out, out, left_out, 0)


def _parted(chosen: Row, rejected: Row) -> Row:
    """Return a pair as DPO reads it: what both replies follow, and each of them."""
    (start, end), (_, other_end) = reply_spans(chosen["labels"])[-1], reply_spans(rejected["labels"])[-1]
    prompt = chosen["input_ids"][:start]
    if rejected["input_ids"][:start] != prompt:
        raise ModelError("the chat template renders what was said before otherwise for each reply; write method: sft")
    kept, discarded = chosen["input_ids"][start:end], rejected["input_ids"][start:other_end]
    return {"prompt_ids": prompt, "chosen_ids": kept, "rejected_ids": discarded}


def _people(items: Sequence[TrainingDialogue] | Sequence[PreferencePair]) -> tuple[str, ...]:
    return tuple(sorted({item.persona for item in items}))


def _writer(dialogue: TrainingDialogue) -> str:
    """Return who wrote the dialogues, without the folders of its path; "" where its weights are those of the base."""
    model = dialogue.origin.model
    return "" if model.sha256 is not None else model.id.rstrip("/").rsplit("/", 1)[-1]
