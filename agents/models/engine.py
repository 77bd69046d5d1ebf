"""The decoding loop: conversations join and leave a running batch between two tokens.

Synchronous and single-threaded; :mod:`agents.models.local` runs it in a worker thread. What a row generates depends
on its own tokens, adapter and seed only (up to rounding: run float64 where texts must be equal to the letter).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from agents.models.cache import BatchCache, Conversation, Shelf
from agents.models.loading import Backbone
from agents.models.lora import AdapterBank
from agents.models.masks import Masks
from agents.models.sampling import draw, uniforms
from agents.protocols import Generation, GenerationRequest

PREFILL_TOKENS = 4096  # tokens of one prefill pass, padding included
JOIN_EVERY = 8  # steps between two admissions: a prefill pass costs about as much as a step, so rows join together


@dataclass(slots=True, eq=False)
class Job:
    """One request on its way. ``prompt``: (tokens,), the rendered conversation; ``limit``: most tokens to generate."""

    request: GenerationRequest
    prompt: NDArray[np.int64]
    limit: int
    deliver: Callable[[Generation | BaseException], None]
    cancelled: Callable[[], bool]


@dataclass(slots=True, eq=False)
class Row:
    """A job in the batch. ``length`` slots of its row are written; ``pending`` tokens are still to be read."""

    job: Job
    kept: Conversation
    unchanged: int
    length: int
    pending: NDArray[np.int64]
    chances: NDArray[np.float64]
    written: list[int] = field(default_factory=list)  # generated tokens


class Engine:
    """Up to ``batch_size`` conversations at once over one model."""

    def __init__(self, backbone: Backbone, bank: AdapterBank, *, batch_size: int, shelf: Shelf) -> None:
        self.backbone, self.bank, self.shelf = backbone, bank, shelf
        self.batch_size = batch_size
        self.rows: list[Row] = []
        self._steps = 0
        self._masks = Masks.of(backbone.model.config.get_text_config(), backbone.model.dtype)
        self._cache = BatchCache(self._masks.layers, batch_size)

    @property
    def open_places(self) -> int:
        """How many jobs may join now."""
        if self.rows and self._steps % JOIN_EVERY:
            return 0
        return self.batch_size - len(self.rows)

    def admit(self, jobs: Sequence[Job]) -> None:
        """Let jobs join, as many as there are ``open_places`` at most.

        What is kept of each is read in, the rest of its prompt computed, and its first token drawn.
        """
        start = len(self.rows)
        joining = sorted((self._open(job) for job in jobs), key=lambda row: len(row.pending))
        self.rows += joining
        longest = max(len(row.job.prompt) for row in joining)
        self._cache.reserve(longest, start)
        for number, row in enumerate(joining, start):
            self._cache.read_in(number, row.kept, row.unchanged)
        for first, last in _groups([len(row.pending) for row in joining], PREFILL_TOKENS):
            self._advance(start + first, start + last)
        self._leave()

    def step(self) -> None:
        """Read every row's newest token and draw its next."""
        self._steps += 1
        self._cache.reserve(max(row.length for row in self.rows) + 1, len(self.rows))
        self._advance(0, len(self.rows))
        self._leave()

    def abandon(self, error: BaseException) -> None:
        """Deliver ``error`` to every row and forget what the batch holds."""
        for row in self.rows:
            row.job.deliver(error)
        self.rows.clear()
        self._cache = BatchCache(self._masks.layers, self.batch_size)

    def _open(self, job: Job) -> Row:
        request = job.request
        kept = self.shelf.take(request.key, request.adapter)
        # At least one token has to be read, to have logits to draw from.
        known = min(kept.common(job.prompt), len(job.prompt) - 1)
        return Row(job, kept, known, known, job.prompt[known:], uniforms(request.seed, job.limit))

    def _advance(self, first: int, last: int) -> None:
        """Read the pending tokens of rows [first, last) and draw a token for each."""
        rows = self.rows[first:last]
        logits = self.logits(first, last)
        chances = np.array([row.chances[len(row.written)] for row in rows])
        drawn = draw(logits, [row.job.request.sampling for row in rows], chances)
        for row, token in zip(rows, drawn, strict=True):
            row.written.append(token)
            row.pending = np.array([token])

    def logits(self, first: int, last: int) -> torch.Tensor:
        """Read the pending tokens of rows [first, last); what their last ones predict, (rows, vocabulary)."""
        rows = self.rows[first:last]
        device = self.backbone.device
        width = max(len(row.pending) for row in rows)
        window = self._cache.window
        tokens = np.zeros((len(rows), width), dtype=np.int64)
        positions = np.zeros_like(tokens)
        slots = np.full_like(tokens, window.capacity - 1)  # where padding writes
        for number, row in enumerate(rows):
            count = len(row.pending)
            tokens[number, width - count :] = row.pending
            positions[number, width - count :] = slots[number, width - count :] = np.arange(
                row.length, row.length + count
            )
            row.length += count
        window.first, window.last = first, last
        window.length = max(row.length for row in rows)
        window.index = torch.arange(first, last, device=device)[:, None]
        window.slots = torch.from_numpy(slots).to(device)
        places = torch.from_numpy(positions).to(device)
        self.bank.use([row.job.request.adapter for row in rows])
        predicted: torch.Tensor = self.backbone.model(
            input_ids=torch.from_numpy(tokens).to(device),
            attention_mask=self._masks.build(places, window.length),
            position_ids=places,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        return predicted

    def _leave(self) -> None:
        """Deliver the rows that are done, put their states to rest, and close the gaps from the end."""
        for number in range(len(self.rows) - 1, -1, -1):
            row = self.rows[number]
            stopped = row.written[-1] in self.backbone.stop_ids
            cancelled = row.job.cancelled()
            if not (stopped or cancelled or len(row.written) == row.job.limit):
                continue
            self._rest(number, row)
            if not cancelled:
                row.job.deliver(self._generation(row, stopped=stopped))
            last = self.rows.pop()
            if last is not row:
                self._cache.move(len(self.rows), number, last.length)
                self.rows[number] = last

    def _rest(self, number: int, row: Row) -> None:
        seen = np.concatenate([row.job.prompt, np.array(row.written[:-1], dtype=np.int64)])
        self._cache.read_out(number, row.kept, seen, row.unchanged)
        self.shelf.put(row.job.request.key, row.job.request.adapter, row.kept)

    def _generation(self, row: Row, *, stopped: bool) -> Generation:
        text = self.backbone.tokenizer.decode(row.written, skip_special_tokens=True).strip()
        return Generation(text, len(row.job.prompt), len(row.written), "stop" if stopped else "length")


def _groups(counts: Sequence[int], budget: int) -> Iterator[tuple[int, int]]:
    """Cut ascending ``counts`` into runs [first, last) that waste little padding and stay within ``budget`` tokens."""
    first = 0
    for number, count in enumerate(counts):
        too_uneven = count > 2 * counts[first] + 16
        too_many = count * (number + 1 - first) > budget
        if number > first and (too_uneven or too_many):
            yield first, number
            first = number
    if counts:
        yield first, len(counts)
