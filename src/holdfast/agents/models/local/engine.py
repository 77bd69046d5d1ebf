"""The decoding loop: conversations join and leave a running batch between two tokens.

Synchronous and single-threaded; :mod:`holdfast.agents.models.local.model` runs it in a worker thread. What a row
generates depends on its own tokens, adapter and seed only (up to rounding: run float64 where texts must be equal to the
letter). Rows guess ahead (:mod:`holdfast.agents.models.local.lookahead`): a pass may write several tokens of a reply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from holdfast.agents.models.local.cache import BatchCache, CachedConversation, ConversationCache
from holdfast.agents.models.local.loading import Backbone
from holdfast.agents.models.local.lookahead import LONGEST_RUN, MOST_GUESSES, Lookahead
from holdfast.agents.models.local.lora import AdapterBank
from holdfast.agents.models.local.masks import Masks
from holdfast.agents.models.local.sampling import draw, uniforms
from holdfast.agents.protocols import Generation, GenerationRequest

PREFILL_TOKENS = 4096  # tokens of one prefill pass, padding included
JOIN_EVERY = 3  # steps between two admissions: a prefill pass costs about as much as a step, so rows join together
CPU_TOKENS, GPU_TOKENS = 128, 1024  # see Lookahead: where a pass stops being cheap; the second was never measured


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
    """A job in the batch. ``length`` slots of its row are written; ``pending`` tokens are still to be read.

    ``guesses``: what may follow them, read in the same pass.
    """

    job: Job
    kept: CachedConversation
    unchanged: int
    length: int
    pending: NDArray[np.int64]
    chances: NDArray[np.float64]
    written: list[int] = field(default_factory=list)  # generated tokens
    guesses: list[int] = field(default_factory=list)

    @property
    def unread(self) -> int:
        """Tokens of the coming pass."""
        return len(self.pending) + len(self.guesses)


class Engine:
    """Up to ``batch_size`` conversations at once over one model."""

    def __init__(self, backbone: Backbone, bank: AdapterBank, *, batch_size: int, shelf: ConversationCache) -> None:
        self.backbone, self.bank, self.shelf = backbone, bank, shelf
        self.batch_size = batch_size
        self.rows: list[Row] = []
        self._steps = 0
        self._ahead = Lookahead(CPU_TOKENS if backbone.device.type == "cpu" else GPU_TOKENS)
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
        self._cache.reserve(longest + MOST_GUESSES, start)
        for number, row in enumerate(joining, start):
            self._cache.read_in(number, row.kept, row.unchanged)
        for first, last in _groups([len(row.pending) for row in joining], PREFILL_TOKENS):
            self._advance(start + first, start + last)
        self._leave()

    def step(self) -> None:
        """Read every row's newest token and what it guesses after it, and draw what comes next."""
        self._steps += 1
        self._cache.reserve(max(row.length for row in self.rows) + 1 + MOST_GUESSES, len(self.rows))
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
        kept.phrases.reread(job.prompt.tolist(), known)
        return Row(job, kept, known, known, job.prompt[known:], uniforms(request.seed, job.limit))

    def _advance(self, first: int, last: int) -> None:
        """Read the pending tokens of rows [first, last) and what they guess; draw at least a token for each."""
        rows = self.rows[first:last]
        most = self._ahead.most(len(rows))
        for row in rows:
            row.guesses = self._guesses(row, most)
        self._draw(rows, self.logits(first, last))

    def _guesses(self, row: Row, most: int) -> list[int]:
        most = min(most, row.job.limit - len(row.written) - 1)
        if most < 1:
            return []
        tail = [*row.job.prompt[-LONGEST_RUN:].tolist(), *row.written[-LONGEST_RUN:]]
        adapter = row.job.request.adapter
        return self._ahead.guess(row.kept.phrases, adapter, tail, most, self.backbone.stop_ids)

    def _draw(self, rows: Sequence[Row], logits: torch.Tensor) -> None:
        """Draw on along each row's guesses for as long as they come true.

        :param logits: (rows, at least 1 + guesses, vocabulary); those of a row's last pending token and its guesses
            are its last ones.
        """
        before, going, ahead = [len(row.written) for row in rows], list(range(len(rows))), 0
        while going:
            drawing = [rows[number] for number in going]
            places = [logits.shape[1] - 1 - len(row.guesses) + ahead for row in drawing]
            chances = np.array([row.chances[len(row.written)] for row in drawing])
            drawn = draw(logits[going, places], [row.job.request.sampling for row in drawing], chances)
            for row, token in zip(drawing, drawn, strict=True):
                row.written.append(token)
            going = [
                number for number, token in zip(going, drawn, strict=True) if self._foreseen(rows[number], ahead, token)
            ]
            ahead += 1
        accepted = 0
        for row, had in zip(rows, before, strict=True):
            came_true = len(row.written) - had - 1
            row.length += len(row.pending) + came_true
            row.pending = np.array(row.written[-1:])
            accepted += came_true
        self._ahead.came_true(accepted, sum(1 for row in rows if row.guesses))

    def _foreseen(self, row: Row, ahead: int, token: int) -> bool:
        """Whether ``token`` is what the row guessed for this place, and more may follow."""
        return row.guesses[ahead : ahead + 1] == [token] and token not in self.backbone.stop_ids

    def logits(self, first: int, last: int) -> torch.Tensor:
        """Read the pending tokens of rows [first, last) and their guesses.

        :returns: (rows, 1 + most guesses of a row, vocabulary), what the last tokens of each row predict.
        """
        rows = self.rows[first:last]
        device = self.backbone.device
        width = max(row.unread for row in rows)
        window = self._cache.window
        tokens = np.zeros((len(rows), width), dtype=np.int64)
        positions = np.zeros_like(tokens)
        slots = np.full_like(tokens, window.capacity - 1)  # where padding writes
        for number, row in enumerate(rows):
            start = width - row.unread
            tokens[number, start:] = [*row.pending, *row.guesses]
            positions[number, start:] = slots[number, start:] = np.arange(row.length, row.length + row.unread)
        window.first, window.last = first, last
        window.length = max(row.length + row.unread for row in rows)
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
            logits_to_keep=1 + max(len(row.guesses) for row in rows),
        ).logits
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
        self._remember(row)
        self._cache.read_out(number, row.kept, seen, row.unchanged)
        self.shelf.put(row.job.request.key, row.job.request.adapter, row.kept)

    def _remember(self, row: Row) -> None:
        """Let later guesses know what was written here."""
        before = row.job.prompt[-LONGEST_RUN:].tolist()
        said = [*before, *row.written]
        row.kept.phrases.learn(said, len(before))
        row.kept.phrases.learned += len(row.written)
        self._ahead.learn(row.job.request.adapter, said, len(before))

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
