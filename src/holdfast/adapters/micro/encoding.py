"""Encode documents as token ids with labels: loss on the assistant's turns or on everything, as the recipe says."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from holdfast.adapters.micro.bpe_dropout import BpeDropout, plain_words, segments
from holdfast.adapters.micro.replies import yours
from holdfast.adapters.micro.tokenizer import END
from holdfast.adapters.micro.world import Document, WorldTurn

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

IGNORED = -100  # torch's cross entropy leaves such labels out
POOL = 12  # batches drawn together and sorted by length, so that little is padded
NAME_WEIGHT = 4.0  # weight of the loss where a reply names what the user said: copying is learned sooner
DROPOUT_SHARE = 0.4  # of a document's names, split into other tokens than the tokenizer's

Cuts = Mapping[str, Sequence[tuple[int, int]]]  # word -> (token id, characters) of its pieces


@dataclass(frozen=True, slots=True)
class Encoded:
    """One document: token ids, labels, and the weight of each label in the loss; all of one length."""

    tokens: list[int]
    labels: list[int]
    weights: list[float]


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents padded on the right; each tensor has the shape (documents, longest)."""

    tokens: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor


class Encoder:
    """Encodes whole documents as the chat template would render them."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, *, loss_on_everything: bool = False) -> None:
        self._encode = tokenizer.backend_tokenizer.encode
        self._roles = {role: tokenizer.convert_tokens_to_ids(f"<|{role}|>") for role in ("system", "user", "assistant")}
        self._end = tokenizer.convert_tokens_to_ids(END)
        self._pad = tokenizer.pad_token_id
        self._everything = loss_on_everything
        self._bpe_dropout = BpeDropout(tokenizer.backend_tokenizer)

    def encode(self, document: Document, rng: random.Random | None = None) -> Encoded:
        """Encode the document; with ``rng``, split some of its names into other tokens than usual."""
        cuts = {} if rng is None else self._cuts(document, rng)
        row = Encoded([], [], [])
        for turn in document.turns:
            if turn.prompt is not None:
                self._add(row, "system", turn.prompt)
            self._add(row, "user", turn.user, cuts)
            self._add(row, "assistant", turn.reply, cuts, named_in(turn))
        return row

    def _cuts(self, document: Document, rng: random.Random) -> Cuts:
        said = (name for turn in document.turns for name in (turn.said.feeling, turn.said.topic, turn.said.need))
        words = [word for word in plain_words(name for name in said if name) if rng.random() < DROPOUT_SHARE]
        return {word: self._bpe_dropout.split(word, rng) for word in words}

    def _add(self, row: Encoded, role: str, content: str, cuts: Cuts | None = None, named: Sequence[str] = ()) -> None:
        text = " " + content
        ids, offsets = self._pieces(text, cuts or {})
        learned = self._everything or role == "assistant"
        weights = [1.0] * (len(ids) + 1)
        for phrase in named:
            for place in _places(offsets, text.index(phrase), len(phrase)):
                weights[place] = NAME_WEIGHT
        ids.append(self._end)
        row.tokens.extend([self._roles[role], *ids])
        row.labels.extend([IGNORED, *(ids if learned else [IGNORED] * len(ids))])
        row.weights.extend([1.0, *weights])

    def _pieces(self, text: str, cuts: Cuts) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the token ids of ``text``, and the (start, end) characters of each."""
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        start = 0
        for piece, word in segments(text, cuts):
            if word is None:
                encoding = self._encode(piece)
                ids.extend(encoding.ids)
                offsets.extend((start + first, start + last) for first, last in encoding.offsets)
            else:
                place = start
                for token, length in cuts[word]:
                    ids.append(token)
                    offsets.append((place, place + length))
                    place += length
            start += len(piece)
        return ids, offsets

    def places(self, document: Document, phrase: str) -> list[int]:
        """Return the indices of the tokens that spell ``phrase`` in the document's last reply, which must hold it."""
        reply = " " + document.turns[-1].reply
        encoding = self._encode(reply)
        first = len(self.encode(document).tokens) - len(encoding.ids) - 1
        return [first + place for place in _places(encoding.offsets, reply.index(phrase), len(phrase))]

    def batches(self, documents: Iterator[Document], size: int, rng: random.Random) -> Iterator[Batch]:
        """Yield batches without end, each of documents of similar length; shapes (size, longest)."""
        while True:
            pool = sorted(
                (self.encode(next(documents), rng) for _ in range(size * POOL)), key=lambda row: len(row.tokens)
            )
            starts = list(range(0, len(pool), size))
            rng.shuffle(starts)
            for start in starts:
                yield self.padded(pool[start : start + size])

    def padded(self, rows: Sequence[Encoded]) -> Batch:
        """Pad the rows into tensors."""
        shape = (len(rows), max(len(row.tokens) for row in rows))
        batch = Batch(torch.full(shape, self._pad), torch.full(shape, IGNORED), torch.ones(shape))
        for index, row in enumerate(rows):
            length = len(row.tokens)
            batch.tokens[index, :length] = torch.tensor(row.tokens)
            batch.labels[index, :length] = torch.tensor(row.labels)
            batch.weights[index, :length] = torch.tensor(row.weights)
        return batch


def named_in(turn: WorldTurn) -> tuple[str, ...]:
    """Return what the user just said that the reply names, word for word."""
    said = (turn.said.feeling, turn.said.topic, turn.said.need)
    return tuple(name for value in said if value and (name := yours(value)) in turn.reply)


def _places(offsets: Sequence[tuple[int, int]], start: int, length: int) -> list[int]:
    """Return the indices of the tokens that overlap ``length`` characters from ``start``."""
    return [index for index, (begin, end) in enumerate(offsets) if end > start and begin < start + length]
