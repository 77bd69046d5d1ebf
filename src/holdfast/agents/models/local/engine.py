"""The decoding loop: conversations join and leave a running batch between two tokens (continuous batching).

Synchronous and single-threaded; :mod:`holdfast.agents.models.local.model` runs it in a worker thread. What a row
generates depends on its own tokens, adapter and seed only (up to rounding: run float64 where texts must be equal to the
letter). Rows guess ahead (:mod:`holdfast.agents.models.local.lookahead`), so a pass may write several tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
import torch

from holdfast.agents.models.local.attention import Masks
from holdfast.agents.models.local.cache import BatchCache, ConversationCache
from holdfast.agents.models.local.constrained import Schemas
from holdfast.agents.models.local.decoding import Decoder
from holdfast.agents.models.local.loading import Backbone
from holdfast.agents.models.local.lookahead import LONGEST_RUN, MOST_GUESSES, Lookahead, guess
from holdfast.agents.models.local.lora import AdapterBank
from holdfast.agents.models.local.prefixes import block_digests
from holdfast.agents.models.local.rows import Job, Row, forget_row, share_beginnings
from holdfast.agents.models.local.sampling import draw, uniforms
from holdfast.agents.models.local.tiles import SLOTS
from holdfast.core.errors import ModelError

PREFILL_TOKENS = 4096  # tokens of one prefill pass, padding included
JOIN_EVERY = 3  # steps between two admissions: a prefill pass costs about as much as a step, so rows join together
CPU_TOKENS, GPU_TOKENS = 128, 1024  # see Lookahead: where a pass stops being cheap; the second was never measured


class Engine:
    """Generates for up to ``batch_size`` conversations at once with one model."""

    def __init__(self, backbone: Backbone, bank: AdapterBank, *, batch_size: int, cache: ConversationCache) -> None:
        self.backbone, self.bank, self.conversations = backbone, bank, cache
        self.batch_size = batch_size
        self.rows: list[Row] = []
        self._reading: dict[bytes, Row] = {}  # by the digest of a beginning: a row that has read it
        self._steps = 0
        self._decoder = Decoder(backbone.tokenizer, backbone.stop_ids, backbone.ending)
        config = backbone.model.config.get_text_config()
        self._schemas = Schemas(backbone.tokenizer, config.vocab_size, backbone.stop_ids)
        self._ahead = Lookahead(CPU_TOKENS if backbone.device.type == "cpu" else GPU_TOKENS)
        self._masks = Masks.of(config, backbone.model.dtype)
        self._cache = BatchCache(self._masks.layers, batch_size)

    @property
    def free_rows(self) -> int:
        """How many jobs may join now."""
        if self.rows and self._steps % JOIN_EVERY:
            return 0
        return self.batch_size - len(self.rows)

    def reserve(self, length: int) -> None:
        """Make room for rows of ``length`` tokens, where there is none yet."""
        self._cache.reserve(length, len(self.rows))

    def admit(self, jobs: Sequence[Job]) -> None:
        """Let jobs join, ``free_rows`` at most.

        What is cached of each is restored, the rest of its prompt computed, and its first token drawn.
        """
        start = len(self.rows)
        joining = [self._open(job) for job in jobs]
        share_beginnings(joining, self._reading, self.conversations)
        joining.sort(key=lambda row: row.wave)
        self.rows += joining
        longest = max(len(row.job.prompt) for row in joining)
        self._cache.reserve(longest + MOST_GUESSES, start)
        for _, wave in groupby(joining, key=lambda row: row.wave):
            start = self._read_prompts(start, list(wave))
        for row in joining:
            row.wave = -1
        self._finish_rows()

    def _read_prompts(self, start: int, wave: Sequence[Row]) -> int:
        """Read what is not cached of the prompts of ``wave``, the rows from ``start`` on; return the next row."""
        for row in wave:
            if isinstance(row.like, Row) and row.like.error is not None:
                row.read_alone()
        wave = self.rows[start : start + len(wave)] = sorted(wave, key=lambda row: len(row.pending))
        places = {id(row): place for place, row in enumerate(self.rows)}
        for number, row in enumerate(wave, start):
            self._cache.restore(number, row.cached, row.unchanged)
            if isinstance(row.like, Row):
                self._cache.move(places[id(row.like)], number, row.length, row.unchanged)
            elif row.like is not None:
                self._cache.load(number, row.like, row.unchanged, row.length)
            row.like = None
        for first, last in _groups([len(row.pending) for row in wave], PREFILL_TOKENS):
            self._advance(start + first, start + last)
        return start + len(wave)

    def step(self) -> None:
        """Read every row's newest token and its guesses, and draw what comes next."""
        self._steps += 1
        self._cache.reserve(max(row.length for row in self.rows) + 1 + MOST_GUESSES, len(self.rows))
        self._advance(0, len(self.rows))
        self._finish_rows()

    def forget(self) -> None:
        """Free the memory of conversations, which are computed anew where they go on; not of those in the batch."""
        self.conversations.clear()
        if not self.rows:
            self._cache = BatchCache(self._masks.layers, self.batch_size)

    def abandon(self, error: BaseException) -> None:
        """Deliver ``error`` to every row and empty the batch."""
        for row in self.rows:
            row.job.deliver(error)
        self.rows.clear()
        self._reading.clear()
        self._cache = BatchCache(self._masks.layers, self.batch_size)

    def _open(self, job: Job) -> Row:
        request = job.request
        cached = self.conversations.take(request.key, request.adapter)
        # At least one token has to be read, to have logits to draw from.
        known = min(cached.common(job.prompt), len(job.prompt) - 1)
        cached.phrases.reread(job.prompt.tolist(), known)
        row = Row(job, cached, known, known, job.prompt[known:], uniforms(request.seed, job.limit))
        if request.schema is not None:
            row.constraint = self._schemas.constraint(request.schema, opened=self._decoder.opened(job.prompt))
        return row

    def _advance(self, first: int, last: int) -> None:
        """Read the pending tokens and guesses of rows [first, last); draw at least a token for each."""
        rows = self.rows[first:last]
        most = self._ahead.most(len(rows))
        for row in rows:
            row.guesses = self._guesses(row, most)
        self._draw(rows, self.logits(first, last))

    def _guesses(self, row: Row, most: int) -> list[int]:
        most = min(most, row.job.limit - len(row.written) - 1)
        if most < 1:
            return []
        if row.constraint is not None and (forced := row.constraint.forced()):
            return forced[:most]
        tail = [*row.job.prompt[-LONGEST_RUN:].tolist(), *row.written[-LONGEST_RUN:]]
        memories = row.cached.phrases, self._ahead.shared[row.job.request.adapter]
        return guess(tail, most, memories, self.backbone.stop_ids)

    def _draw(self, rows: Sequence[Row], logits: torch.Tensor) -> None:
        """Draw tokens along each row's guesses for as long as they are accepted.

        ``logits``: (rows, at least 1 + guesses, vocabulary); the last ones of a row belong to its last pending token
        and its guesses.
        """
        before, going, ahead = [len(row.written) for row in rows], list(range(len(rows))), 0
        while going:
            drawing = [rows[number] for number in going]
            places = [logits.shape[1] - 1 - len(row.guesses) + ahead for row in drawing]
            predicted = logits[going, places]
            if unsound := self._fail_rows(drawing, predicted):
                going = [number for number in going if number not in {going[place] for place in unsound}]
                continue
            chances = np.array([row.chances[len(row.written)] for row in drawing])
            for place, row in enumerate(drawing):
                if row.constraint is not None:
                    row.constraint.mask(predicted[place], row.job.limit - len(row.written))
            drawn = draw(predicted, [row.job.request.sampling for row in drawing], chances)
            for row, token in zip(drawing, drawn, strict=True):
                row.write(token)
            going = [
                number for number, token in zip(going, drawn, strict=True) if self._guessed(rows[number], ahead, token)
            ]
            ahead += 1
        accepted = 0
        for row, had in zip(rows, before, strict=True):
            if row.error is not None:
                continue
            came_true = len(row.written) - had - 1
            row.length += len(row.pending) + came_true
            row.pending = np.array(row.written[-1:])
            accepted += came_true
        self._ahead.record(accepted, sum(1 for row in rows if row.guesses))

    def _fail_rows(self, rows: Sequence[Row], logits: torch.Tensor) -> list[int]:
        """Give the rows whose logits, (rows, vocabulary), no token can be drawn from an error; return their numbers."""
        highest = logits.amax(-1)  # nan where any is; the lowest may be infinite, of tokens that are ruled out
        unsound: list[int] = (~torch.isfinite(highest)).nonzero()[:, 0].tolist()
        for number in unsound:
            row = rows[number]
            row.error = ModelError(
                f"{self.backbone.name} predicts no finite number after {row.length + len(row.pending)} tokens of "
                f"{row.job.request.key}: its weights, or those of its adapter, are damaged, or too large for "
                f"{str(self.backbone.model.dtype).removeprefix('torch.')}; take another dtype, such as float32"
            )
        return unsound

    def _guessed(self, row: Row, ahead: int, token: int) -> bool:
        """Return whether ``token`` is what the row guessed for this position, and more may follow."""
        return row.guesses[ahead : ahead + 1] == [token] and not (token in self.backbone.stop_ids or row.complete)

    def logits(self, first: int, last: int) -> torch.Tensor:
        """Read the pending tokens of rows [first, last) and their guesses.

        Returns (rows, 1 + most guesses of a row, vocabulary): what the last tokens of each row predict.
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
        window.first, window.last, window.start = first, last, int(slots[0, 0])
        window.length = max(row.length + row.unread for row in rows)
        if self.bank.tiled:
            window.length += -window.length % SLOTS
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

    def _finish_rows(self) -> None:
        """Deliver the finished rows, store their states, and fill the gaps from the end."""
        for number in range(len(self.rows) - 1, -1, -1):
            row = self.rows[number]
            if row.error is not None:
                row.job.deliver(row.error)
                self._remove(number)
                continue
            stopped = self._ends(row)
            cancelled = row.job.cancelled()
            if not (stopped or cancelled or len(row.written) == row.job.limit):
                continue
            self._store(number, row)
            if not cancelled:
                made = self._decoder.generation(
                    row.job.prompt, row.written, stopped=stopped, constrained=row.constrained
                )
                row.job.deliver(made)
            self._remove(number)

    def _remove(self, number: int) -> None:
        """Take a row out of the batch; the last one takes its place."""
        row, last = self.rows[number], self.rows.pop()
        forget_row(row, self._reading)
        if row.error is not None:
            self._cache.clear(number)
        if last is not row:
            self._cache.move(len(self.rows), number, last.length)
            self.rows[number] = last

    def _store(self, number: int, row: Row) -> None:
        """Keep a finished row's states, and learn its reply for later guesses."""
        seen = np.concatenate([row.job.prompt, np.array(row.written[:-1], dtype=np.int64)])
        before = row.job.prompt[-LONGEST_RUN:].tolist()
        said = [*before, *row.written]
        row.cached.phrases.learn(said, len(before))
        row.cached.phrases.learned += len(row.written)
        self._ahead.learn(row.job.request.adapter, said, len(before))
        self._cache.store(number, row.cached, seen, row.unchanged)
        adapter = row.job.request.adapter
        self.conversations.put(row.job.request.key, adapter, row.cached, block_digests(seen, adapter, row.beginnings))

    def _ends(self, row: Row) -> bool:
        """Return whether the reply is over; what was drawn behind an ending text is dropped."""
        ending = None if row.constrained else self.backbone.ending  # texts of a schema may hold it
        if ending is not None and ending.is_in(row.written, self._decode):
            while ending.is_in(row.written[:-1], self._decode):
                row.written.pop()
            return True
        return row.complete or row.written[-1] in self.backbone.stop_ids

    def _decode(self, tokens: list[int]) -> str:
        text: str = self.backbone.tokenizer.decode(tokens, skip_special_tokens=True)
        return text


def _groups(counts: Sequence[int], budget: int) -> Iterator[tuple[int, int]]:
    """Cut ascending ``counts`` into runs [first, last) with little padding, within ``budget`` tokens each."""
    first = 0
    for number, count in enumerate(counts):
        too_uneven = count > 2 * counts[first] + 16
        too_many = count * (number + 1 - first) > budget
        if number > first and (too_uneven or too_many):
            yield first, number
            first = number
    if counts:
        yield first, len(counts)
