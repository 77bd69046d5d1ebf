"""Dialogues as the tokens that an adapter is trained on, and what ``max_length`` leaves of them."""

import warnings
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.adapters.dialogues.export import TrainingDialogue
from holdfast.agents.models.local.chat_template import ChatTemplate
from holdfast.agents.models.local.end_of_turn import end_of_turn
from holdfast.agents.models.local.loading import open_config, open_tokenizer
from holdfast.agents.models.local.rope import longest_context
from holdfast.agents.models.spec import TODAY
from holdfast.agents.protocols import Message
from holdfast.core.errors import InputError, ModelError
from holdfast.core.wording import how_many

NO_LOSS = -100  # the label of a token that torch's cross-entropy passes over
Span = tuple[int, int]  # [start, end), in tokens
_MARKING = "put {% generation %} and {% endgeneration %} around the assistant's text in chat_template.jinja"


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """What an adapter learns from, and what its ``limit`` of tokens a dialogue takes away.

    ``tokens``: those of replies, which alone carry loss; ``longest``: tokens of the longest dialogue before it is cut.
    Of what is left out nothing is learned; of ``replies_cut`` the beginning is.
    """

    dialogues: int
    replies: int
    tokens: int
    limit: int
    longest: int
    dialogues_left_out: int
    replies_left_out: int
    tokens_left_out: int
    replies_cut: int

    def __str__(self) -> str:
        return f"{how_many(self.dialogues, 'dialogue')}, {_replies(self.replies)}, {how_many(self.tokens, 'token')}"

    @property
    def lost(self) -> str:
        """What is left out or cut, in words; empty where nothing is."""
        if not self.tokens_left_out:
            return ""
        return (
            f"{how_many(self.dialogues_left_out, 'dialogue')}, {_replies(self.replies_left_out)} and "
            f"{how_many(self.tokens_left_out, 'token')} of replies left out, {_replies(self.replies_cut)} cut: "
            f"{self.limit:,} tokens of a dialogue are read, the longest has {self.longest:,}"
        )


@dataclass(frozen=True, slots=True)
class TokenisedDialogues:
    """``rows``: ``input_ids`` and ``labels`` of each dialogue that something is learned from; ``dialogues``: those."""

    rows: tuple[dict[str, list[int]], ...]
    dialogues: tuple[TrainingDialogue, ...]
    trained_on: TrainedOn


def tokenise(
    dialogues: Sequence[TrainingDialogue], base: Path, max_length: int, source: Path | str, today: date = TODAY
) -> TokenisedDialogues:
    """Tokenise dialogues as the model in ``base`` reads them, each cut at its end where it is too long.

    Args:
        dialogues: at least one.
        base: a model folder.
        max_length: most tokens of a dialogue; the model's context where that is shorter.
        source: what the dialogues are called, for messages.
        today: what a chat template is told that asks for the date.

    Raises:
        InputError: every dialogue is cut before its first reply.
        ModelError: the tokenizer cannot be read, or its chat template does not mark the assistant's words.
    """
    limit = readable_tokens(base, max_length)
    talks = [[Message(line.role, line.content) for line in dialogue.messages] for dialogue in dialogues]
    whole = rows_with_labels(talks, base, today)
    spans = [reply_spans(row["labels"]) for row in whole]
    longest = max(len(row["labels"]) for row in whole)
    kept = [number for number, own in enumerate(spans) if own and own[0][0] < limit]
    if not kept:
        raise InputError(_all_cut(source, spans, limit, max_length, longest))
    every = [span for own in spans for span in own]
    tokens, read = sum(end - start for start, end in every), sum(max(0, min(e, limit) - s) for s, e in every)
    out = sum(start >= limit for start, _ in every)
    trained_on = TrainedOn(
        dialogues=len(kept),
        replies=len(every) - out,
        tokens=read,
        limit=limit,
        longest=longest,
        dialogues_left_out=len(whole) - len(kept),
        replies_left_out=out,
        tokens_left_out=tokens - read,
        replies_cut=sum(start < limit < end for start, end in every),
    )
    rows = tuple({name: ids[:limit] for name, ids in whole[number].items()} for number in kept)
    return TokenisedDialogues(rows, tuple(dialogues[number] for number in kept), trained_on)


def readable_tokens(base: Path, most: int) -> int:
    """Return how many tokens of a dialogue the model in ``base`` can learn from, at most ``most``."""
    context, _ = longest_context(open_config(base))
    return min(most, context or most)


def rows_with_labels(talks: Sequence[Sequence[Message]], base: Path, today: date = TODAY) -> list[dict[str, list[int]]]:
    """Return ``input_ids`` and ``labels`` of whole conversations as the model in ``base`` reads them.

    Raises:
        ModelError: the tokenizer cannot be read, or its chat template does not mark the assistant's words.
    """
    tokenizer = open_tokenizer(base)
    template = ChatTemplate.of(tokenizer, base.name, today)
    end = end_of_turn(template, tokenizer)
    rows = [_row(talk, template, tokenizer, end.written) for talk in talks]
    spans = [reply_spans(row["labels"]) for row in rows]
    if not any(spans):
        raise ModelError(f"{base}: its chat template marks no words of the assistant's; {_MARKING}")
    _warn_of_no_end(rows, spans, end.ids, base)
    return rows


def _row(messages: Sequence[Message], template: ChatTemplate, tokenizer: Any, ending: str) -> dict[str, list[int]]:
    """Return all tokens of a conversation, labelled where the assistant speaks."""
    text, spans = template.with_spans(messages, ending)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    ids, places = list(encoded["input_ids"]), np.array(encoded["offset_mapping"]).reshape(-1, 2)
    labels = [NO_LOSS] * len(ids)
    for start, end in spans:
        inside = np.flatnonzero((places[:, 0] < end) & (places[:, 1] > start))
        if len(inside):
            first, last = int(inside[0]), int(inside[-1]) + 1
            labels[first:last] = ids[first:last]
    return {"input_ids": ids, "labels": labels}


def reply_spans(labels: Sequence[int]) -> list[Span]:
    """Return where each reply begins and ends, [start, end) in tokens."""
    learned = np.array(labels) != NO_LOSS
    edges = np.flatnonzero(np.diff(learned, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _warn_of_no_end(
    rows: Sequence[Mapping[str, list[int]]],
    spans: Sequence[Sequence[Span]],
    ends: Container[int],
    base: Path,
) -> None:
    """Say so where the token that ends a reply carries no loss: the adapter may not learn to stop."""
    for row, own in zip(rows, spans, strict=True):
        ids = row["input_ids"]
        for _, end in own:
            if ids[end - 1] not in ends and ids[end : end + 1] and ids[end] in ends:
                warnings.warn(
                    f"{base}: its chat template puts the token that ends a reply behind {{% endgeneration %}}, so the "
                    "adapter may not learn to stop; put it before",
                    stacklevel=2,
                )
                return


def _all_cut(source: Path | str, spans: Sequence[Sequence[Span]], limit: int, max_length: int, longest: int) -> str:
    first = 1 + min(own[0][0] for own in spans if own)
    about = (
        f"{source}: every one of {how_many(len(spans), 'dialogue')} is cut before its first reply, so nothing would be "
        f"learned: the first {limit:,} tokens are read, the earliest reply begins at token {first:,}, the longest "
        f"dialogue has {longest:,}"
    )
    if limit < max_length:
        return f"{about}. The base reads no more tokens: take one with a longer context, or shorter dialogues"
    return f"{about}. Write max_length: {longest} or more under 'training' (now {max_length})"


def _replies(count: int) -> str:
    return how_many(count, "reply", "replies")
