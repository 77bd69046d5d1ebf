"""Documents as token ids, with the loss on what a recipe says: assistant turns, or everything."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from adapters.micro.tokenizer import END
from adapters.micro.world import Document

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

IGNORED = -100  # torch's cross entropy leaves such labels out
POOL = 12  # batches drawn together and sorted by length, so that little is padded

Encoded = tuple[list[int], list[int]]
Batch = tuple[torch.Tensor, torch.Tensor]


class Encoder:
    """Encodes whole documents as the chat template would render them."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, *, loss_on_everything: bool = False) -> None:
        self._encode = tokenizer.backend_tokenizer.encode
        self._roles = {role: tokenizer.convert_tokens_to_ids(f"<|{role}|>") for role in ("system", "user", "assistant")}
        self._end = tokenizer.convert_tokens_to_ids(END)
        self._pad = tokenizer.pad_token_id
        self._everything = loss_on_everything

    def encode(self, document: Document) -> Encoded:
        """Token ids, and labels of the same length."""
        tokens: list[int] = []
        labels: list[int] = []
        for message in document.messages():
            content = [*self._encode(" " + message.content).ids, self._end]
            learned = self._everything or message.role == "assistant"
            tokens += [self._roles[message.role], *content]
            labels += [IGNORED, *(content if learned else [IGNORED] * len(content))]
        return tokens, labels

    def places(self, document: Document, phrase: str) -> list[int]:
        """Which tokens of the encoded document spell ``phrase`` in its last reply; it must stand there."""
        reply = " " + document.turns[-1].reply
        start = reply.index(phrase)
        encoding = self._encode(reply)
        first = len(self.encode(document)[0]) - len(encoding.ids) - 1
        return [
            first + index
            for index, (begin, end) in enumerate(encoding.offsets)
            if end > start and begin < start + len(phrase)
        ]

    def batches(self, documents: Iterator[Document], size: int, rng: random.Random) -> Iterator[Batch]:
        """Batches without end, each of documents of like length; shapes (size, longest)."""
        while True:
            pool = sorted((self.encode(next(documents)) for _ in range(size * POOL)), key=lambda pair: len(pair[0]))
            starts = list(range(0, len(pool), size))
            rng.shuffle(starts)
            for start in starts:
                yield self.padded(pool[start : start + size])

    def padded(self, rows: list[Encoded]) -> Batch:
        """Rows as two tensors, padded on the right."""
        longest = max(len(tokens) for tokens, _ in rows)
        tokens = torch.full((len(rows), longest), self._pad)
        labels = torch.full((len(rows), longest), IGNORED)
        for index, (ids, learned) in enumerate(rows):
            tokens[index, : len(ids)] = torch.tensor(ids)
            labels[index, : len(learned)] = torch.tensor(learned)
        return tokens, labels
